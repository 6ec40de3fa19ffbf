"""The engine knows no field of an event: a project names them, and only the simulators know those of theirs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOTS = ("services", "ml", "dashboards", "generator")
SIMULATORS = "generator/fraudstream/generator/simulators/"
# What people write in no other sense; these stand nowhere, not in a comment, a script or a style sheet either.
ONLY_PAYMENTS = (
    "old_balance|marital_status|day_of_week|category_recipient|transaction_type|transaction_method|foreign_transaction"
)
# Words as well; these stand nowhere as a text of their own, unless it is allowed here, with the reason.
WORDS = frozenset(
    {"id", "date", "amount", "month", "isFraud", "income", "credit", "children", *ONLY_PAYMENTS.split("|")}
) | {
    # Of cards; its `campaign` is the name of a role.
    *("made_at", "customer", "card", "terminal", "category", "country", "currency", "latitude", "longitude"),
    *("channel", "recurring", "authenticated", "is_fraud"),
}

_ROLES = "the roles' names in fraudstream.toml"
_COLUMN = "a column of ours, named after the role, whatever the field is called"
_ROLLUP = "rollups' own amount and period"
_VERDICT = "the verdict's own fields, the same for each project"
_OTHER = "an attribute, an address or a report of another kind"
_QUERY = "a word of the query language, or a part of a query's plan"
_GUESS = "words by which a file's columns are guessed, and the guesses' names"
# By file or by folder.
ALLOWED: Mapping[str, Mapping[str, str]] = {
    "services/fraudstream/asaql/plan/binding/expressions.py": {"id": _QUERY},
    "services/fraudstream/asaql/plan/units.py": {"month": _QUERY},
    "services/fraudstream/cloud/check/code.py": {"id": _OTHER},
    "services/fraudstream/cloud/rehearsal/costs.py": {"amount": _OTHER},
    "services/fraudstream/cloud/rehearsal/report.py": {"amount": _OTHER},
    "services/fraudstream/core/contract/rollups.py": {"month": _ROLLUP},
    "services/fraudstream/core/contract/verdict.py": {"id": _VERDICT},
    "services/fraudstream/core/project/identity.py": {"id": _ROLES, "amount": _ROLES},
    "services/fraudstream/core/project/project.py": {"id": _ROLES, "amount": _ROLES},
    "services/fraudstream/core/streaming/checkpoints.py": {"id": _OTHER},
    "services/fraudstream/spark/contract_file.py": {"id": _ROLES, "amount": _ROLES},
    "services/fraudstream/spark/functions.py": {"id": _COLUMN, "amount": _COLUMN},
    "services/fraudstream/spark/validation.py": {"id": _COLUMN, "amount": _COLUMN},
    "services/fraudstream/store/cli.py": {"id": _COLUMN},
    "services/fraudstream/store/rollups.py": {"id": _COLUMN, "amount": _ROLLUP},
    "services/fraudstream/store/seeding.py": {"id": _COLUMN, "amount": _COLUMN},
    "services/jvm/fraudstream/contract/Contract.java": {"id": _ROLES, "amount": _ROLES},
    "services/jvm/fraudstream/documentstore/Commands.java": {"id": _OTHER},
    "services/jvm/fraudstream/spark/Cells.java": {"month": _ROLLUP},
    "services/jvm/fraudstream/query/functions/DateFunctions.java": {"month": _QUERY},
    "services/jvm/fraudstream/query/windows/Windows.java": {"id": _QUERY},
    "ml/fraudstream/ml/algorithms/gbt.py": {"id": _OTHER},
    "ml/fraudstream/ml/algorithms/portable.py": {"id": _OTHER},
    "ml/fraudstream/ml/evaluation/held_out.py": {"card": _OTHER},
    "dashboards/fraudstream/dashboards/data/buckets.py": {"amount": _ROLLUP},
    "dashboards/fraudstream/dashboards/data/queries.py": {"month": _ROLLUP},
    "dashboards/fraudstream/dashboards/data/window.py": {"id": _OTHER},
    "dashboards/fraudstream/dashboards/pages/": {"id": _OTHER, "amount": _ROLLUP},
    "dashboards/fraudstream/dashboards/ui/": {"id": _OTHER, "amount": _COLUMN},
    "generator/fraudstream/generator/onboarding/": dict.fromkeys(("id", "date", "amount", "card", "category"), _GUESS),
    "generator/fraudstream/generator/replay/entries.py": {"id": _VERDICT},
}
# Dash's property of a component, and Plotly's kind of an axis.
_OF_LIBRARIES = frozenset({"children", "date"})
_AXES = {"date", "category"}


class Found(NamedTuple):
    file: str
    word: str
    line: int


def _sources(root: Path, *suffixes: str) -> Iterator[tuple[str, str]]:
    """The files of the engine, by their places in the repository."""
    for top in ROOTS:
        for file in sorted((root / top).rglob("*")):
            place = file.relative_to(root).as_posix()
            if file.suffix in suffixes and not place.startswith(SIMULATORS) and "__pycache__" not in place:
                yield place, file.read_text("utf-8")


def _texts(place: str, source: str) -> Iterator[Found]:
    """The texts of a Python file that are one of the words, without what libraries call so."""
    tree = ast.parse(source)
    ignored: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Output", "Input", "State", "getattr"):
            ignored.update(argument for argument in node.args if _is_one_of(argument, _OF_LIBRARIES))
        elif isinstance(node, ast.Dict):
            pairs = zip(node.keys, node.values, strict=True)
            ignored.update(value for key, value in pairs if _is_one_of(key, {"type"}) and _is_one_of(value, _AXES))
    for node in ast.walk(tree):
        if node not in ignored and isinstance(node, ast.Constant) and node.value in WORDS:
            yield Found(place, str(node.value), node.lineno)


def _java(root: Path) -> list[Found]:
    texts = re.compile(rf'"({"|".join(sorted(WORDS))})"')
    return [
        Found(place, match[1], source.count("\n", 0, match.start()) + 1)
        for place, source in _sources(root, ".java")
        for match in texts.finditer(source)
    ]


def _allowed_by(mention: Found) -> list[str]:
    """The entries that allow it."""
    return [
        place
        for place, words in ALLOWED.items()
        if mention.word in words and (mention.file.startswith(place) if place.endswith("/") else mention.file == place)
    ]


def _is_one_of(node: ast.AST | None, words: set[str] | frozenset[str]) -> bool:
    return isinstance(node, ast.Constant) and node.value in words


def test_no_field_of_payments_stands_in_the_engine(project_root: Path) -> None:
    kinds = (".py", ".java", ".js", ".css", ".toml", ".json", ".html", ".sql")
    mentions = [
        Found(place, match[0], source.count("\n", 0, match.start()) + 1)
        for place, source in _sources(project_root, *kinds)
        for match in re.finditer(rf"\b(?:{ONLY_PAYMENTS})\b", source)
    ]
    assert not mentions


def test_no_code_reads_a_field_by_a_literal_name(project_root: Path) -> None:
    """By its role, from the event contract."""
    mentions = [mention for place, source in _sources(project_root, ".py") for mention in _texts(place, source)]
    assert [mention for mention in mentions if not _allowed_by(mention)] == []


def test_no_java_reads_a_field_by_a_literal_name(project_root: Path) -> None:
    assert [mention for mention in _java(project_root) if not _allowed_by(mention)] == []


def test_each_exception_is_still_one(project_root: Path) -> None:
    python = [mention for place, source in _sources(project_root, ".py") for mention in _texts(place, source)]
    used = {(place, mention.word) for mention in (*python, *_java(project_root)) for place in _allowed_by(mention)}
    assert {(place, word) for place, words in ALLOWED.items() for word in words} == used
