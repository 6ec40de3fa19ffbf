"""Numbers as options take them: finite ones."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest
import typer
from typer.models import OptionInfo
from typer.testing import CliRunner

from fraudstream.runtime.cli import app as own
from fraudstream.runtime.commands import LATE_COMMANDS, add_sibling_commands

pytestmark = pytest.mark.timeless

SIBLINGS = typer.Typer()
add_sibling_commands(SIBLINGS)


def commands(app: typer.Typer, *words: str) -> Iterator[tuple[tuple[str, ...], Callable[..., Any]]]:
    """The commands of an app: the words that call each, and its function."""
    for group in app.registered_groups:
        assert group.typer_instance is not None
        yield from commands(group.typer_instance, *words, str(group.name))
    for command in app.registered_commands:
        assert command.callback is not None
        name = command.name or command.callback.__name__.replace("_", "-")
        if not words and name in LATE_COMMANDS:
            module, function, _ = LATE_COMMANDS[name]
            yield (name,), getattr(importlib.import_module(module), function)
        else:
            yield (*words, name), command.callback


def fractions(command: Callable[..., Any]) -> Iterator[str]:
    """The options of a command that take a number with a fraction."""
    for name, parameter in inspect.signature(command, eval_str=True).parameters.items():
        marks = (*get_args(parameter.annotation), parameter.default)
        option = next((mark for mark in marks if isinstance(mark, OptionInfo)), None)
        if option is not None and "float" in str(parameter.annotation):
            # Typer takes the first name of an annotated option for its default.
            texts = map(str, (*(option.param_decls or ()), option.default))
            names = [text for text in texts if text.startswith("--")]
            yield names[0] if names else f"--{name.replace('_', '-')}"


OPTIONS = [
    (app, words, option) for app in (own, SIBLINGS) for words, command in commands(app) for option in fractions(command)
]


def test_the_options_are_found() -> None:
    names = {" ".join((*words, option)) for _, words, option in OPTIONS}
    assert {"generate live --for", "generate live --rate", "demo --rate", "rehearse azure --idle"} <= names
    assert {"bench latency --rate", "bench latency --warm-up", "bench scoring --for", "bench memory --for"} <= names


@pytest.mark.parametrize("number", ["inf", "-inf", "nan", "1e999"])
@pytest.mark.parametrize(("app", "words", "option"), OPTIONS)
def test_every_number_is_finite(app: typer.Typer, words: tuple[str, ...], option: str, number: str) -> None:
    done = CliRunner().invoke(app, [*words, option, number])
    assert done.exit_code == 2, done.exception
    assert f"Invalid value for '{option}'" in done.output
