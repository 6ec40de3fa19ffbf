"""The store's and the scoring service's own tests on a project whose events have little in common with payments."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_a_project_of_cards(project_root: Path) -> None:
    files = ("tests/unit/store/of_cards.py", "tests/unit/scoring/of_cards.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", *files]
    chosen = os.environ | {"FRAUDSTREAM_PROJECT": "tests/projects/cards"}
    run = subprocess.run(command, cwd=project_root, env=chosen, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-3_000:]
