"""``fraudstream.toml`` of a plan, each guess with its evidence as a comment."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from datetime import UTC
from pathlib import Path

from fraudstream.core.contract.times import EPOCH, EPOCH_START
from fraudstream.generator.onboarding.plan import Plan

_BARE = re.compile(r"[A-Za-z0-9_-]+").fullmatch
_WIDTH = 110
# Of so many leaks and columns left out each is named in a comment.
_MOST_NAMED = 40


def definition_text(plan: Plan, title: str, folder: Path) -> str:
    """The file's text; the file of transactions is named from the folder if it is in it, else from the root."""
    return (
        "\n".join(
            line
            for part in (_event(plan, title), _model(plan), _dimensions(plan), _source(plan, folder))
            for line in (*part, "")
        ).rstrip("\n")
        + "\n"
    )


def _event(plan: Plan, title: str) -> Iterator[str]:
    evidence = {guess.subject: guess.evidence for guess in plan.guesses}
    yield "# Made by `fraudstream init`. Each comment says why; change what is wrong."
    yield "# docs/reference/project.md lists all keys."
    yield f"title = {_text(title)}"
    yield ""
    yield "[event]"
    yield from _comment(f"id: {evidence['id']}")
    yield f"id = {_text(plan.id)}"
    yield from _comment(f"time: {evidence['time']}")
    yield f"time = {_text(plan.time)}"
    yield f"time_format = {_text(plan.form.form)}"
    if plan.form.form == EPOCH:
        yield f"time_unit = {_text(plan.form.unit)}"
    if plan.form.origin != EPOCH_START:
        yield f"time_origin = {plan.form.origin.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    yield from _comment(f"amount: {evidence['amount']}")
    yield f"amount = {_text(plan.amount)}"
    yield from _comment(f"label: {evidence['label']}")
    yield f"label = {_text(plan.label.profile.name)}"
    for guess in plan.guesses:
        if guess.subject in ("entity", "entities"):
            yield from _comment(f"{guess.subject} {guess.value}: {guess.evidence}")
    yield from _list("entities", plan.entities)


def _model(plan: Plan) -> Iterator[str]:
    yield "[model]"
    for name, why in list(plan.leaks.items())[:_MOST_NAMED]:
        yield from _comment(f"LEAK, left out: {name}: {why}")
    if plan.left_out:
        named = [f"{name} ({why})" for name, why in plan.left_out.items()]
        rest = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
        yield from _comment(f"left out: {', '.join(named[:_MOST_NAMED])}{rest}")
    yield from _list("inputs", plan.inputs)
    if plan.categories:
        yield ""
        yield "# Known values of texts. Others are taken as well; to the model they are missing."
        yield "[categories]"
        for name, values in plan.categories.items():
            yield from _list(_key(name), values)


def _dimensions(plan: Plan) -> Iterator[str]:
    yield "# What is counted and shown, beside the bins of the amount."
    yield "[dimensions]"
    yield from _list("fields", plan.dimensions)
    yield 'times = ["hour", "weekday"]'
    yield f"amount_edges = {_numbers(plan.amount_edges)}"
    if plan.edges:
        yield ""
        yield "[dimensions.edges]"
        for name, edges in plan.edges.items():
            yield f"{_key(name)} = {_numbers(edges)}"


def _source(plan: Plan, folder: Path) -> Iterator[str]:
    yield "[source]"
    yield f"file = {_text(_place(plan.sample.file, folder))}"
    if plan.made_id is not None:
        yield f"id = {_text(plan.made_id)}"
    if plan.seconds_between_rows is not None:
        yield f"seconds_between_rows = {float(plan.seconds_between_rows)!r}"
    if plan.label.fraud_values:
        yield from _list("fraud_values", plan.label.fraud_values)
    yield "# The first part in the order of time is labelled history; of the rest the labels follow later."
    yield "history_share = 0.5"
    yield "label_delay_hours = 0.0"


def _place(file: Path, folder: Path) -> str:
    whole, inside = file.resolve(), folder.resolve()
    return whole.relative_to(inside).as_posix() if whole.is_relative_to(inside) else os.fspath(whole)


def _key(name: str) -> str:
    return name if _BARE(name) else _text(name)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _numbers(numbers: Iterable[int | float]) -> str:
    return f"[{', '.join(repr(number) for number in numbers)}]"


def _list(name: str, values: Iterable[str]) -> Iterator[str]:
    texts = [_text(value) for value in values]
    line = f"{name} = [{', '.join(texts)}]"
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"{name} = ["
    line = "   "
    for text in texts:
        if len(line) + len(text) + 2 > _WIDTH:
            yield line
            line = "   "
        line += f" {text},"
    yield line
    yield "]"


def _comment(text: str) -> Iterator[str]:
    """A comment in lines that fit a screen; what a file holds may have line ends."""
    line = "#"
    for word in "".join(character if character.isprintable() else " " for character in text).split():
        if len(line) + len(word) + 1 > _WIDTH and line != "#":
            yield line
            line = "#  "
        line += f" {word}"
    yield line
