"""A command that is told to end stops what it has started, whichever signal tells it, and says so by its status."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from fraudstream.core.configuration.settings import load_settings
from fraudstream.runtime import lifecycle
from fraudstream.runtime.parts import local as parts
from fraudstream.runtime.supervise import process

pytestmark = pytest.mark.timeless

WAIT_SECONDS = 30

# The commands without the parts: a child of theirs goes on, and so do they, until they are told to end.
SCRIPT = """
import pathlib, subprocess, sys, time
from fraudstream.runtime import bootstrap, cli, lifecycle, own_command
from fraudstream.runtime.demo import run as demo

SLEEPER = (sys.executable, "-c", "import time; time.sleep(600)")

def go_on(child):
    pathlib.Path("child.part").write_text(str(child.pid))
    pathlib.Path("child.part").rename("child")
    time.sleep(600)

def run(*_, **__):
    with own_command.started(SLEEPER) as child:
        go_on(child)

def publish(*_):
    go_on(children[0])

def stop(_):
    # Longer than it takes to be told once more.
    pathlib.Path("stopping").touch()
    time.sleep(1)
    pathlib.Path("stopped").touch()

children = []
popen = subprocess.Popen

def remembered(*words, **options):
    children.append(popen(*words, **options))
    return children[-1]

demo._run = run
lifecycle.stop, lifecycle.is_running = stop, lambda _: False
bootstrap.create_topics = bootstrap.champion_version = lambda _: None
bootstrap.COMMAND, bootstrap.publish_history = SLEEPER, publish
own_command.subprocess.Popen = remembered
cli.main()
"""
DEMO = ("demo",)
WITH_AN_END = ("demo", "--events", "5", "--exit")


def await_that(condition: Callable[[], bool]) -> None:
    assert process.await_condition(condition, WAIT_SECONDS, 0.02)


def started(*words: str, **options: Any) -> tuple[subprocess.Popen[bytes], psutil.Process]:
    """The command at work, and its child."""
    command = subprocess.Popen([sys.executable, "-c", SCRIPT, *words], **options)
    await_that(lambda: Path("child").exists() or command.poll() is not None)
    return command, psutil.Process(int(Path("child").read_text()))


@pytest.mark.parametrize(
    ("words", "number", "status"),
    [
        (DEMO, signal.SIGINT, 0),
        (DEMO, signal.SIGTERM, 143),
        (DEMO, signal.SIGHUP, 129),
        (WITH_AN_END, signal.SIGINT, 130),
        (WITH_AN_END, signal.SIGTERM, 143),
        (WITH_AN_END, signal.SIGHUP, 129),
    ],
)
def test_a_demo_stops_what_it_has_started(words: tuple[str, ...], number: signal.Signals, status: int) -> None:
    command, child = started(*words)
    command.send_signal(number)
    await_that(lambda: Path("stopping").exists())
    # Who stops a command may try harder: `timeout -k`, a machine that shuts down.
    for again in (signal.SIGTERM, signal.SIGHUP) if number != signal.SIGINT else ():
        command.send_signal(again)
    assert command.wait(WAIT_SECONDS) == status
    assert Path("stopped").exists()
    assert process.is_dead(child)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_bootstrap_ends_its_training(number: signal.Signals, status: int) -> None:
    command, child = started("bootstrap")
    command.send_signal(number)
    assert command.wait(WAIT_SECONDS) == status
    assert process.is_dead(child)


def test_a_terminal_that_closes_ends_a_demo_in_order() -> None:
    ours, theirs = pty.openpty()

    def take_terminal() -> None:
        import fcntl
        import termios

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    command, child = started(*DEMO, start_new_session=True, preexec_fn=take_terminal, **streams)
    os.close(theirs)
    os.close(ours)
    assert command.wait(WAIT_SECONDS) == 129
    assert Path("stopped").exists()
    assert process.is_dead(child)


def test_what_was_asked_to_be_ignored_is_ignored() -> None:
    command, child = started(*DEMO, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    command.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert command.poll() is None
    command.send_signal(signal.SIGTERM)
    assert command.wait(WAIT_SECONDS) == 143
    assert process.is_dead(child)


def test_a_supervisor_that_has_not_got_its_lock_yet_does_not_outlive_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    children: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def remembered(*words: Any, **options: Any) -> subprocess.Popen[bytes]:
        children.append(popen(*words, **options))
        return children[-1]

    def interrupted(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(lifecycle, "SUPERVISOR_COMMAND", (sys.executable, "-c", "import time; time.sleep(600)"))
    monkeypatch.setattr(parts, "local_parts", lambda _: [])
    monkeypatch.setattr(lifecycle.subprocess, "Popen", remembered)
    monkeypatch.setattr(lifecycle, "read_state", interrupted)
    with pytest.raises(KeyboardInterrupt):
        lifecycle.start_detached(load_settings(data_dir=tmp_path))
    (supervisor,) = children
    assert supervisor.returncode == -signal.SIGTERM
