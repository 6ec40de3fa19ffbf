"""A wheel in an environment of its own, away from a clone; test_shell_blocks.py runs the tutorials with it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]


def test_a_command_of_a_clone_says_so(installed: Path, tmp_path: Path) -> None:
    words = [installed / "fraudstream", "bench", "latency"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "in a clone" in done.stderr
