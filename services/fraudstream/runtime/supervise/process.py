"""Child processes: started in a session of their own, found again with all their descendants, and stopped whole."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import psutil

from fraudstream.core.process import environment
from fraudstream.runtime.supervise.part import Part

LOG_ROTATE_BYTES = 5 * 1024 * 1024
LOGS_KEPT = 3

# Two readings of one process's creation time may differ by a clock tick.
_CREATE_TIME_TOLERANCE_SECONDS = 0.1
_PR_SET_PDEATHSIG = 1
# Time for a part's children to notice that it has ended: a JVM shuts down in an orderly way when its pipe closes.
_ORPHAN_GRACE_SECONDS = 2.0
_KILL_SECONDS = 5.0


def spawn(part: Part, log_file: Path, marker: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start the part in a new session, its output appended to ``log_file``. Raises ``OSError``.

    On Linux the kernel kills it when the calling *thread* ends: call this from a thread that lives as long as the
    supervisor. SIGKILL, because a part that ignores or survives SIGTERM would be an orphan; every part's data
    survives a kill.
    """
    rotate_log(log_file)
    with log_file.open("ab") as log:
        return subprocess.Popen(
            list(part.command),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**environment.made({**os.environ, **part.env, **marker}), **part.env, **marker},
            cwd=part.cwd,
            start_new_session=True,
            preexec_fn=_die_with_supervisor(),
        )


def rotate_log(log_file: Path) -> None:
    """Move a log of more than ``LOG_ROTATE_BYTES`` aside as ``….log.1``, and older ones up to ``LOGS_KEPT``."""
    if not log_file.exists() or log_file.stat().st_size <= LOG_ROTATE_BYTES:
        return
    for number in range(LOGS_KEPT - 1, 0, -1):
        older = log_file.with_name(f"{log_file.name}.{number}")
        if older.exists():
            older.replace(log_file.with_name(f"{log_file.name}.{number + 1}"))
    log_file.replace(log_file.with_name(f"{log_file.name}.1"))


def create_time(pid: int) -> float | None:
    """When the process was created, seconds since the epoch; ``None`` if it is gone."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def same_process(pid: int | None, created: float | None) -> bool:
    """Whether ``pid`` still is the process that was created then, and not a later one that got its number."""
    if pid is None or created is None:
        return False
    try:
        process = psutil.Process(pid)
        return not is_dead(process) and abs(process.create_time() - created) < _CREATE_TIME_TOLERANCE_SECONDS
    except psutil.Error:
        return False


def session_members(leader: int) -> list[psutil.Process]:
    """The living processes of the session that ``leader`` started, itself included.

    The session and not the process group: Spark's Python workers move to a group of their own.
    """
    members = []
    for pid in psutil.pids():
        with contextlib.suppress(OSError, psutil.Error):
            if os.getsid(pid) == leader:
                process = psutil.Process(pid)
                if not is_dead(process):
                    members.append(process)
    return members


def kill_session(leader: int, grace_seconds: float = 0.0) -> None:
    """Give what is left of the leader's session ``grace_seconds`` to end by itself, then SIGKILL it."""
    members = session_members(leader)
    if not grace_seconds or not await_condition(lambda: all(map(is_dead, members)), grace_seconds):
        kill(members)


def kill(processes: Iterable[psutil.Process]) -> None:
    """SIGKILL the processes and wait until they are dead (at most five seconds)."""
    processes = list(processes)
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.kill()
    await_condition(lambda: all(map(is_dead, processes)), _KILL_SECONDS, 0.01)


def is_dead(process: psutil.Process) -> bool:
    """Whether the process has ended; a zombie has, and may stay one where process 1 (a container's) reaps nobody."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True


def terminate(child: subprocess.Popen[bytes], grace_seconds: float) -> None:
    """Stop a part: SIGTERM to its leader, and after ``grace_seconds`` SIGKILL to all that is left of its session.

    Only the leader gets SIGTERM, so that it can stop its own children in order (Spark: Python before the JVM).
    """
    with contextlib.suppress(ProcessLookupError):
        child.send_signal(signal.SIGTERM)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(grace_seconds)
    ended = child.poll() is not None
    if not ended:
        child.kill()
        child.wait()
    kill_session(child.pid, grace_seconds=_ORPHAN_GRACE_SECONDS if ended else 0.0)


def family(pid: int) -> list[psutil.Process]:
    """The process and all its descendants; empty if it is gone."""
    try:
        root = psutil.Process(pid)
        return [root, *root.children(recursive=True)]
    except psutil.Error:
        return []


def family_memory(pid: int, *, shared_once: bool = False) -> int | None:
    """Memory in bytes of the process and all its descendants; ``None`` if it is gone.

    Resident sizes, in which a page counts in every process that maps it. ``shared_once`` divides such a page among
    them, where the system can tell (Linux), which takes some ten milliseconds a gigabyte.
    """
    members = family(pid)
    if not members:
        return None
    total = 0
    for process in members:
        with contextlib.suppress(psutil.Error):
            total += process.memory_full_info().pss if shared_once and psutil.LINUX else process.memory_info().rss
    return total


def await_condition(condition: Callable[[], bool], timeout_seconds: float, interval_seconds: float = 0.05) -> bool:
    """Ask the condition again and again until it holds (True) or the time is over (False)."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(interval_seconds)
    return True


def exit_text(returncode: int) -> str:
    """An exit in words: ``exit status 3`` or ``killed by SIGKILL``."""
    if returncode >= 0:
        return f"exit status {returncode}"
    try:
        return f"killed by {signal.Signals(-returncode).name}"
    except ValueError:
        return f"killed by signal {-returncode}"


def _die_with_supervisor() -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    # Looked up before the fork: the child must not load libraries.
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    supervisor = os.getpid()

    def ask_kernel() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != supervisor:  # it died between the fork and the request
            os._exit(1)

    return ask_kernel
