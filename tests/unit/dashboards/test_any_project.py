"""The pages of a project that has little in common with payments."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).with_name("odd_project.py")


def test_every_page_of_an_odd_project_counts_and_finds_what_is_there(tmp_path: Path, project_root: Path) -> None:
    """In a process of its own, because a process has one project."""
    folder = runpy.run_path(str(SCRIPT))["write"](tmp_path / "odd")
    environment = os.environ | {"FRAUDSTREAM_PROJECT": str(folder), "PYTHONPATH": str(project_root)}
    done = subprocess.run(
        [sys.executable, str(SCRIPT)], capture_output=True, text=True, env=environment, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("all answered\n")
