"""The engine's tests pass on a project whose event is that of payments with each field under another name.

What reads a field by a literal name does not find it there. Spark's part is tests/spark/test_renamed_project.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from fraudstream.core.project.project import bundled, read_project

TESTS = (
    "tests/unit/core/contract/test_event.py",
    "tests/unit/core/contract/test_plain_reader.py",
    "tests/unit/core/kafka/test_resend.py",
    "tests/unit/store/test_records.py",
    "tests/unit/store/test_seeding.py",
    "tests/unit/scoring/test_app.py",
    "tests/unit/scoring/test_bodies.py",
    "tests/unit/scoring/test_real_model.py",
)


def run_renamed(root: Path, *words: str) -> None:
    """Run tests on the project, and fail with their output if one of them does."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:xdist", "-p", "no:cacheprovider", *words]
    chosen = os.environ | {"FRAUDSTREAM_PROJECT": "tests/projects/renamed"}
    done = subprocess.run(command, cwd=root, env=chosen, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-3_000:]


def test_no_field_has_the_name_that_it_has_in_payments(project_root: Path) -> None:
    payments, renamed = bundled("payments"), read_project(project_root / "tests" / "projects" / "renamed")
    assert not {rule.name for rule in payments.rules} & {rule.name for rule in renamed.rules}
    assert [rule.kind for rule in payments.rules] == [rule.kind for rule in renamed.rules]


def test_the_engine_knows_no_name_of_a_field(project_root: Path) -> None:
    run_renamed(project_root, *TESTS)
