"""Every shell block of README and tutorials does what it says; tests/compose/test_chain.py runs those with containers.

A tutorial's blocks run one after the other, by the commands of an installed wheel, in a folder of their own. README's
run in a copy of the project, on the stack that all tests of this folder share.
"""

from __future__ import annotations

import fcntl
import os
import pty
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import termios
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from fraudstream.core.configuration.settings import Settings
from tests.shell_blocks import ShellBlock, blocks_that_need
from tests.system.conftest import Fraudstream, new_fraudstream

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

SECONDS = 600
# After its announcement a command that goes on runs for this long, and ends this soon after Ctrl-C.
WATCHED_SECONDS = 2
ENDS_SECONDS = 120
CTRL_C = b"\x03"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page's blocks are typed: a folder, and the variables that its shell has beside this process's."""

    folder: Path
    variables: dict[str, str]
    settings: Settings

    def shell(self, text: str, terminal: int | None = None) -> subprocess.Popen[str]:
        """Bash in a session of its own, whose keyboard is the ``terminal`` where one is given."""
        return subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", text],
            cwd=self.folder,
            env={**os.environ, **self.variables},
            stdin=subprocess.DEVNULL if terminal is None else terminal,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            # Only a session's own terminal makes signals of keys.
            preexec_fn=None if terminal is None else lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )


@pytest.fixture(scope="module")
def tutorial(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A folder of a user who installed the wheel."""
    fraudstream = new_fraudstream(tmp_path_factory.mktemp("tutorial"))
    variables = {**fraudstream.variables, "FRAUDSTREAM_DATA_DIR": ".fraudstream"}
    variables["PATH"] = f"{installed}{os.pathsep}{os.environ['PATH']}"
    place = Place(fraudstream.folder, variables, fraudstream.settings)
    yield place
    place.shell("fraudstream down").communicate(timeout=SECONDS)


@pytest.fixture(scope="module")
def readme(stack: Fraudstream, project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A copy of the project, so that no block changes the clone, with the packages that are installed for it."""
    folder = tmp_path_factory.mktemp("readme") / "fraudstream"
    shutil.copytree(project_root, folder, ignore=shutil.ignore_patterns(".*", "__pycache__", "mlruns", "dist"))
    programs = folder.parent / "bin"
    programs.mkdir()
    python = programs / "python3"
    packages = sysconfig.get_path("purelib")
    # Each environment that a block makes sees the installed packages, so that pip need not fetch 2 GB of them again.
    python.write_text(
        f"""#!/bin/sh
set -e
{shlex.quote(sys.executable)} "$@"
[ "$1 $2" != "-m venv" ] || echo {shlex.quote(packages)} > "$(echo "$3"/lib/python3.*/site-packages)/installed.pth"
""",
        "utf-8",
    )
    python.chmod(0o755)
    variables = {
        **stack.variables,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "UV_PROJECT_ENVIRONMENT": sys.prefix,
        "UV_NO_SYNC": "1",
        # All tests are the ones that are running now.
        "PYTEST_ADDOPTS": "--collect-only --quiet --no-header",
    }
    return Place(folder, variables, stack.settings)


def run(block: ShellBlock, place: Place) -> None:
    shell = place.shell(block.text)
    output, _ = shell.communicate(timeout=SECONDS)
    assert shell.returncode == 0, f"{block.text}\n{output[-3000:]}"


def run_until_interrupted(block: ShellBlock, place: Place) -> None:
    """Type the block, wait for the addresses of the pages, and press Ctrl-C a moment later."""
    keyboard, terminal = pty.openpty()
    shell = place.shell(block.text, terminal)
    lines: list[str] = []
    announced = threading.Event()

    def read() -> None:
        for line in shell.stdout or ():
            lines.append(line)
            if place.settings.dashboard_url in line:
                announced.set()
        announced.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert announced.wait(SECONDS), "".join(lines)[-3000:]
        with pytest.raises(subprocess.TimeoutExpired):
            shell.wait(WATCHED_SECONDS)
        os.write(keyboard, CTRL_C)
        shell.wait(ENDS_SECONDS)
    finally:
        os.close(terminal)
        os.close(keyboard)
        if shell.poll() is None:
            os.killpg(shell.pid, signal.SIGKILL)
        reader.join()
    assert shell.returncode == 0, "".join(lines)[-3000:]


@pytest.mark.parametrize("block", blocks_that_need("", "apt"), ids=str)
def test_a_block_does_what_it_says(block: ShellBlock, request: pytest.FixtureRequest) -> None:
    if block.needs == "apt" and (os.getuid() != 0 or shutil.which("apt-get") is None):
        pytest.skip("takes root on Debian or a relative, to install packages")
    place: Place = request.getfixturevalue("readme" if block.page == "README.md" else "tutorial")
    (run_until_interrupted if block.goes_on else run)(block, place)


def test_the_tutorials_leave_nothing_behind(tutorial: Place) -> None:
    assert not (tutorial.folder / ".fraudstream").exists()
