"""Files, folders, modules and commands that the documentation names exist."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest
import typer

from fraudstream.runtime import cli
from fraudstream.runtime.commands import add_sibling_commands

pytestmark = pytest.mark.timeless

ROOT = Path(__file__).resolve().parents[3]
ROOTS = (
    "services",
    "generator",
    "ml",
    "dashboards",
    "benchmarks",
    "azure",
    "docker",
    "docs",
    "projects",
    "tests",
    ".ci",
    ".devcontainer",
)
SUFFIXES = "bicep|css|js|json|java|md|py|sh|toml|yaml|yml|asaql|lock"
# A run makes these, or they are a user's own.
ELSEWHERE = {
    "application/vnd.microsoft.servicebus.json",
    "contract.json",
    "docker/ca-bundle.pem",
    "evaluation.json",
    "fraudstream-<version>.cdx.json",
    "kafka.py",
    "model.json",
    "reference.json",
    "spark-defaults.conf",
    "trees.json",
}

_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_PATH = re.compile(rf"(?=.*(?:/|\.))[\w.{{}}<>*,-]+(?:/[\w.{{}}<>*,-]+)*(?:/|\.(?:{SUFFIXES}))")
_MODULE = re.compile(r"(?!fraudstream\.toml)fraudstream(?:\.[a-z_]\w*)+")
_COMMAND = re.compile(r"(?:uv run )?fraudstream((?: [a-z]+(?:-[a-z]+)*)+)")


def pages() -> list[Path]:
    """All pages but the map of the modules, which is made from the modules themselves."""
    files = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
    return [page for page in files if page.name != "modules.md"]


def spans(page: Path) -> Iterator[str]:
    for match in _SPAN.finditer(page.read_text("utf-8")):
        yield match[1]


@cache
def paths() -> frozenset[str]:
    """Each file and folder of the project, with a slash before it."""
    places = {f"/{file.name}" for file in ROOT.iterdir() if file.is_file()}
    for root in ROOTS:
        places.add(f"/{root}/")
        for folder, folders, files in os.walk(ROOT / root):
            below = Path(folder).relative_to(ROOT).as_posix()
            places |= {f"/{below}/{name}" for name in files} | {f"/{below}/{name}/" for name in folders}
    return frozenset(places)


def alternatives(name: str) -> list[str]:
    """``pages/{live,history}/`` is two names, and ``<page>`` stands for any."""
    braces = re.search(r"\{([^}]*)\}", name)
    if braces:
        return [path for choice in braces[1].split(",") for path in alternatives(name.replace(braces[0], choice, 1))]
    return [re.sub(r"<[^>]*>", "*", name)]


def exists(path: str) -> bool:
    return any(fnmatchcase(known, f"*/{path}") for known in paths())


def commands(group: typer.core.TyperGroup, before: str = "") -> Iterator[re.Pattern[str]]:
    """What a page may write for each command: a group by its name alone, any other command with words behind it."""
    context = typer.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, typer.core.TyperGroup):
            yield re.compile(f"{before} {name}")
            yield from commands(command, f"{before} {name}")
        else:
            yield re.compile(f"{before} {name}( .*)?")


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_named_files_and_folders_exist(page: Path) -> None:
    named = {span for span in spans(page) if _PATH.fullmatch(span) and not span.startswith((".fraudstream", "dist/"))}
    missing = {name for name in named - ELSEWHERE for path in alternatives(name) if not exists(path)}
    assert missing == set()


def test_named_modules_exist() -> None:
    named = {match[0] for page in pages() for span in spans(page) for match in _MODULE.finditer(span)}

    def is_there(name: str) -> bool:
        parent, _, last = name.rpartition(".")
        try:
            return importlib.util.find_spec(name) is not None
        except ModuleNotFoundError:
            return hasattr(importlib.import_module(parent), last)

    assert len(named) > 5
    assert {name for name in named if not is_there(name)} == set()


def test_named_commands_exist() -> None:
    app = typer.Typer()
    app.registered_commands, app.registered_groups = cli.app.registered_commands[:], cli.app.registered_groups[:]
    add_sibling_commands(app)
    known = list(commands(typer.main.get_command(app)))  # type: ignore[arg-type]
    named = {match[1] for page in pages() for span in spans(page) for match in _COMMAND.finditer(span)}
    assert len(named) > 20
    assert {name for name in named if not any(command.fullmatch(name) for command in known)} == set()
