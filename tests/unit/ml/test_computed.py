"""Training with inputs that the query computes, in a process of the project `cards`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeless


def test_the_inputs_that_cards_computes(project_root: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider"]
    command.append("tests/unit/ml/of_computed_inputs.py")
    chosen = os.environ | {"FRAUDSTREAM_PROJECT": "projects/cards"}
    run = subprocess.run(command, cwd=project_root, env=chosen, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-3_000:]
