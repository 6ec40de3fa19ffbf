"""The parity table: which tests show which feature under which profile.

Tests carry the marker ``@pytest.mark.parity("what works", "local", "rehearsal")``; the table is made from these markers
alone.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from docs.makers.files import table

PROFILES = ("local", "compose", "rehearsal", "azure")
TESTS = Path("tests")
PAGE = Path("docs/reference/parity.md")
_NOTE = "<!-- Made from the tests' markers by `python -m docs.makers --write`; change it there. -->"


@dataclass(frozen=True, slots=True)
class Shown:
    """A test (or a class of tests, by ``name``) that shows ``feature`` under ``profiles``."""

    feature: str
    profiles: tuple[str, ...]
    file: str
    name: str


def shown(folder: Path) -> list[Shown]:
    """All marked tests, in the order of files and lines. Raises ``ValueError`` for a marker that says too little."""
    return [
        test
        for file in sorted(folder.rglob("test_*.py"))
        for test in _marked(ast.parse(file.read_text("utf-8")), file.relative_to(folder.parent).as_posix())
    ]


def page(tests: Sequence[Shown]) -> str:
    """The table, and below it which tests stand behind each row."""
    features = sorted({test.feature for test in tests}, key=str.casefold)
    rows = [
        [feature, *("✓" if _names(tests, feature, profile) else "" for profile in PROFILES)] for feature in features
    ]
    details = [
        f"- **{feature}**\n"
        + "\n".join(
            f"  - {profile}: {', '.join(f'`{name}`' for name in names)}"
            for profile in PROFILES
            if (names := _names(tests, feature, profile))
        )
        for feature in features
    ]
    return f"""{_NOTE}

# Parity

What works under which profile, and which test shows it. `local` and `compose` run the chain on this machine, as
processes and as containers. `rehearsal` runs it with the azure profile against endpoints that enforce the services'
rules (`fraudstream rehearse azure`). `azure` is what can be checked without Azure: templates, settings and recorded
commands against the services' documentation. No test of this project runs in Azure itself.

{table(("feature", *PROFILES), rows)}

## Tests

{chr(10).join(details)}
"""


def generated(project: Path) -> dict[Path, str]:
    """The page as it should be. Raises ``ValueError`` for a marker that says too little."""
    return {project / PAGE: page(shown(project / TESTS))}


def _marked(tree: ast.Module, file: str) -> Iterator[Shown]:
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        for marker in node.decorator_list:
            if isinstance(marker, ast.Call) and ast.unparse(marker.func) == "pytest.mark.parity":
                feature, *profiles = (ast.literal_eval(argument) for argument in marker.args)
                if not profiles or not set(profiles) <= set(PROFILES):
                    raise ValueError(f"{file}: {node.name} says {profiles}; the profiles are {', '.join(PROFILES)}")
                yield Shown(feature, tuple(profiles), file, node.name)


def _names(tests: Sequence[Shown], feature: str, profile: str) -> list[str]:
    return [f"{test.file}::{test.name}" for test in tests if test.feature == feature and profile in test.profiles]
