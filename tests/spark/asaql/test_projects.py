"""The example projects, and pytest's plugin on one of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fraudstream.asaql.running.session import QuerySession
from fraudstream.asaql.testing.cases import read_suite
from fraudstream.asaql.testing.differences import result_lines
from fraudstream.asaql.testing.results import MATCHED, UNREQUIRED
from fraudstream.asaql.testing.running import compiled_suite, run_suite

pytestmark = pytest.mark.spark

PROJECTS = Path(__file__).parents[2] / "asaql" / "projects"


def test_all_cases_pass_in_one_session(session: QuerySession, tmp_path: Path) -> None:
    suite = read_suite(PROJECTS / "cold_chain", None)
    results = list(run_suite(session, suite, compiled_suite(suite, "asa"), tmp_path))
    assert [line for result in results for line in result_lines(result)] == []
    assert [[output.kind for output in result.outputs] for result in results] == [
        [MATCHED, MATCHED],
        [MATCHED, UNREQUIRED],
    ]
    assert results[1].seconds < 2
    assert (tmp_path / "Cold freezers give no alarm" / "minutes.json").is_file()


def test_the_plugin_collects_cases_and_runs_scripts() -> None:
    command = [sys.executable, "-m", "pytest", "-q"]
    command += ["--rootdir", str(PROJECTS), "-c", "/dev/null", "-p", "no:cacheprovider", str(PROJECTS / "toll")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
