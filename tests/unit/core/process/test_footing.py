"""A command whose streams are closed or whose working folder is gone: it works, or says so in one line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.timeless,
    pytest.mark.skipif(sys.platform == "win32", reason="a shell's redirections, and folders that may go"),
]

COMMAND = f"exec {sys.executable} -m fraudstream.runtime"


def shell(line: str, folder: Path, **given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", "-c", line],
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), **given},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "closed", "status", "message"),
    [
        ("config show --json", ">&-", 0, ""),
        ("config show", ">&-", 0, ""),
        ("config show --json", "<&-", 0, ""),
        ("config show --json", "2>&-", 0, ""),
        ("config show --json", ">&- 2>&- <&-", 0, ""),
        ("logs nobody", ">&-", 1, "fraudstream: "),
        ("logs nobody", "2>&-", 1, ""),
        ("reset", "<&-", 0, "nothing to delete"),
    ],
)
def test_a_closed_stream_changes_neither_work_nor_status(
    tmp_path: Path, words: str, closed: str, status: int, message: str
) -> None:
    done = shell(f"{COMMAND} {words} {closed}", tmp_path)
    assert (done.returncode, "Traceback" in done.stderr) == (status, False), done.stderr
    assert done.stderr.startswith(message)
    if words.endswith("--json") and ">&-" not in closed.replace("2>&-", ""):
        assert json.loads(done.stdout)["profile"] == "local"


def test_an_error_keeps_its_status_where_nobody_can_be_told(tmp_path: Path) -> None:
    for variables in (
        {"FRAUDSTREAM_KAFKA_PORT": "none"},
        {"FRAUDSTREAM_KAFKA_PORT": "none", "FRAUDSTREAM_KAFKA_PRT": "1"},
    ):
        assert shell(f"{COMMAND} config show 2>&-", tmp_path, **variables).returncode == 2


def test_a_file_that_is_opened_does_not_take_the_place_of_a_closed_stream(tmp_path: Path) -> None:
    script = (
        "from fraudstream.core.process.environment import adopt; adopt(); import os, subprocess, sys; "
        "kept = open('kept', 'w'); print('x'); sys.stdout.flush(); "
        "subprocess.run([sys.executable, '-c', 'print(1)'], check=True); "
        "sys.exit(kept.fileno() < 3 or os.path.getsize('kept'))"
    )
    done = shell(f'exec {sys.executable} -c "{script}" >&- 2>&- <&-', tmp_path)
    assert done.returncode == 0


@pytest.mark.parametrize("variables", [{}, {"FRAUDSTREAM_CACHE_DIR": "cache"}, {"SSL_CERT_FILE": "ca.pem"}])
@pytest.mark.parametrize("words", ["status", "up", "doctor"])
def test_a_working_folder_that_is_gone_is_told_in_one_line(
    tmp_path: Path, words: str, variables: dict[str, str]
) -> None:
    (tmp_path / "gone").mkdir()
    done = shell(f'cd gone && rmdir "{tmp_path}/gone" && {COMMAND} {words}', tmp_path, **variables)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("fraudstream: The working folder is gone")
