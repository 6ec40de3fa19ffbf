"""Code of six lines or more that stands twice, the same or with other names and values, as jscpd counts it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.missing import skip_without

pytestmark = pytest.mark.timeless

ROOT = Path(__file__).parents[2]
FOLDERS = ("services", "generator", "ml", "dashboards", "benchmarks", "docs")
OPTIONS = (
    "--format=python,java",
    "--min-lines=6",
    "--min-tokens=50",
    "--mode=weak",  # without comments
    "--ignore-identifiers",
    "--ignore-literals",
    r"--ignore-pattern=from [^\n]*import \([^)]*\)|from [^\n]*import [^\n]*|import [^\n]*",
)
# Lower it when a pair goes. Commit 7d9529d, before the folders became rooms, has 33.
MOST_PAIRS = 14


@pytest.fixture(scope="module")
def finder() -> Path:
    command = Path(sys.executable).with_name("jscpd.exe" if sys.platform == "win32" else "jscpd")
    if not command.is_file():
        skip_without("jscpd", "uv sync")
    return command


def test_little_code_stands_twice(finder: Path, tmp_path: Path) -> None:
    duplicates = pairs(finder, ROOT, FOLDERS, tmp_path)
    assert len(duplicates) <= MOST_PAIRS, "\n".join(["more pairs than before:", *duplicates])


def test_the_finder_sees_a_copy_with_other_names(finder: Path, tmp_path: Path) -> None:
    code = "def total(rows):\n    result = 0\n" + "".join(
        f"    if rows[{number}].amount > {number} and rows[{number}].kind == 'x':\n        result += {number}\n"
        for number in range(6)
    )
    for name, text in {"one": code, "two": code.replace("total", "sum_of").replace("rows", "events")}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "module.py").write_text(text, "utf-8")
    assert pairs(finder, tmp_path, ("one", "two"), tmp_path / "report") == ["one/module.py:1-14 ~ two/module.py:1-14"]


def pairs(finder: Path, root: Path, folders: Sequence[str], report: Path) -> list[str]:
    """The pairs of places, each as ``file:lines ~ file:lines``.

    Two places that overlap are one run of lines of the same shape, such as a table, and no pair.
    """
    there = [folder for folder in folders if (root / folder).is_dir()]
    words = [str(finder), *OPTIONS, "--absolute", "--reporters=json", f"--output={report}", "--fail-on-empty", *there]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    duplicates = json.loads((report / "jscpd-report.json").read_text("utf-8"))["duplicates"]
    places = [sorted(_place(duplicate[side], root) for side in ("firstFile", "secondFile")) for duplicate in duplicates]
    return sorted(
        " ~ ".join(f"{file}:{first}-{last}" for file, first, last in pair)
        for pair in places
        if pair[0][0] != pair[1][0] or pair[0][2] < pair[1][1]
    )


def _place(described: dict[str, Any], root: Path) -> tuple[str, int, int]:
    file = Path(described["name"]).relative_to(root)
    return file.as_posix(), described["start"], described["end"]
