"""The lowest priority, for work that nobody waits for."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import psutil

_NICENESS = 19


def give_way() -> None:
    """Let every other process come before this one and its children, Spark's Java process among them."""
    with contextlib.suppress(psutil.Error, OSError):
        process = psutil.Process()
        for member in (process, *process.children(recursive=True)):
            # Linux keeps a priority for each thread, and the threads that train have started already.
            for thread in member.threads():
                _give_way(thread.id)
    if os.getsid(0) == os.getpid():
        _let_session_give_way(Path("/proc/self/autogroup"))


def _give_way(thread: int) -> None:
    # A thread may end while the list of threads is read.
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, thread, _NICENESS)
        if hasattr(os, "SCHED_IDLE"):
            os.sched_setscheduler(thread, os.SCHED_IDLE, os.sched_param(0))


def _let_session_give_way(group: Path) -> None:
    """Lower the session as a whole, which is only right where it is ours alone.

    Linux shares a processor among sessions first (sched(7), "The autogroup feature"): against a process of another
    session, such as the stream job, a thread's own priority counts nothing. Measured on one processor, a loop at
    niceness 19 or of the class idle then gets half of it beside an ordinary one, and 4 % with this.
    """
    with contextlib.suppress(OSError):
        group.write_text(str(_NICENESS), "ascii")
