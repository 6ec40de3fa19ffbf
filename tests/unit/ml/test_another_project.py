"""Training knows no field: a project with texts as ids, nested, missing and boolean inputs is learnt as payments is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.ml import another_project

pytestmark = pytest.mark.timeless

ROOT = Path(__file__).parents[3]


def test_a_project_of_other_fields_is_trained_registered_and_served(tmp_path: Path) -> None:
    project = another_project.make(tmp_path / "cards")
    command = [sys.executable, "-W", "ignore", "-m", "tests.unit.ml.another_project", str(tmp_path)]
    environment = os.environ | {"FRAUDSTREAM_PROJECT": str(project)}
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=600)
    assert ran.returncode == 0, ran.stderr
