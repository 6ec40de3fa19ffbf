"""A machine without Chromium and without Docker runs the tests: it skips what needs them and says so on one line."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import missing

pytestmark = pytest.mark.timeless

SKIPPED_SECONDS = 60
TESTS = ("tests/browser/test_live.py", "tests/compose/test_chain.py")


def path_without(folder: Path, *programs: str) -> str:
    """A folder of links to all programs on the PATH but these."""
    for place in os.get_exec_path():
        for program in Path(place).glob("*"):
            link = folder / program.name
            if program.name not in programs and not link.is_symlink():
                link.symlink_to(program)
    return str(folder)


def test_what_a_machine_lacks_is_named_on_one_line_in_seconds(project_root: Path, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "CI" and "REQUIRE_" not in name}
    environment["PATH"] = path_without(tmp_path, "chromium", "docker")
    # Nothing listens there.
    environment["DOCKER_HOST"] = "tcp://127.0.0.1:9"
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *TESTS]
    began = time.monotonic()
    done = subprocess.run(
        words, cwd=project_root, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert time.monotonic() - began < SKIPPED_SECONDS
    # The last line but one: pytest's own counts end each run.
    line = done.stdout.splitlines()[-2]
    assert line.startswith("Not run: ")
    assert "without Chromium (apt-get install chromium fonts-liberation)" in line
    assert "without Docker's engine with Compose (on Debian and its relatives, docker/engine.sh" in line
    assert "passed" not in done.stdout
    assert "failed" not in done.stdout


@pytest.mark.parametrize("variable", ["CI", "REQUIRE_TOOLS"])
def test_a_machine_that_must_have_it_fails(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "1")
    with pytest.raises(pytest.fail.Exception, match="a thing is missing: buy one"):
        missing.skip_without("a thing", "buy one")


def test_tests_are_counted_by_what_they_lack(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("CI", "REQUIRE_TOOLS"):
        monkeypatch.delenv(variable, raising=False)
    with pytest.raises(pytest.skip.Exception) as skipped:
        missing.skip_without("a thing", "buy one")
    reason = f"Skipped: {skipped.value.msg}"
    assert missing.summary([reason, "Skipped: takes root", reason]) == "2 without a thing (buy one)"
    assert missing.summary(["Skipped: takes root"]) == ""
