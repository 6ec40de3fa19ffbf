"""A clone that Windows has made runs in WSL and in containers: no tracked text gets carriage returns there."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest


def git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        pytest.skip(f"no clone: {done.stderr.strip()}")
    return done.stdout


def line_ends(root: Path) -> dict[str, tuple[str, str]]:
    """Each tracked file → how its lines end in the index and in the working tree, as git says it."""
    by_file = {}
    for line in git(root, "ls-files", "--eol").splitlines():
        described, _, name = line.partition("\t")
        index, tree, *_ = described.split()
        by_file[name] = index.removeprefix("i/"), tree.removeprefix("w/")
    return by_file


def test_no_tracked_text_has_carriage_returns(project_root: Path) -> None:
    ends = line_ends(project_root)
    assert len(ends) > 300
    assert {name for name, (index, _) in ends.items() if index in ("crlf", "mixed")} == set()


def test_a_clone_made_on_windows_has_the_same_files(project_root: Path, tmp_path: Path) -> None:
    clone = tmp_path / "crlf"
    git(project_root, "clone", "-q", "--depth", "1", "-c", "core.autocrlf=true", project_root.as_uri(), str(clone))
    ends = line_ends(clone)
    windows = (".bat", ".cmd", ".ps1")
    assert {name for name, (_, tree) in ends.items() if tree == "crlf" and not name.endswith(windows)} == set()
    for script in (name for name in ends if name.endswith(".sh") or name == ".ci/run"):
        subprocess.run(["bash", "-n", str(clone / script)], check=True, timeout=60)
    assert git(clone, "status", "--porcelain") == ""
