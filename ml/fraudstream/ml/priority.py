"""A low priority for work that nobody waits for."""

from __future__ import annotations

import contextlib
import os

import psutil

_NICENESS = 15


def give_way() -> None:
    """Lower the priority of this process and its children, Spark's Java process among them."""
    with contextlib.suppress(psutil.Error, OSError):
        process = psutil.Process()
        for member in (process, *process.children(recursive=True)):
            # Linux keeps a priority for each thread, and the threads that train have started already.
            for thread in member.threads():
                os.setpriority(os.PRIO_PROCESS, thread.id, _NICENESS)
