"""The generator's commands on the bundled project whose history and live traffic are one line of time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_the_bundled_project_of_cards(project_root: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider"]
    chosen = os.environ | {"FRAUDSTREAM_PROJECT": "projects/cards"}
    run = subprocess.run(
        [*command, "tests/unit/generator/of_cards.py"],
        cwd=project_root,
        env=chosen,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-3_000:]
