"""Leaving the processor to those who wait for it."""

from __future__ import annotations

import contextlib
import os

import psutil

_NICENESS = 15


def give_way() -> None:
    """Let this process and its children, Spark's Java among them, use what others leave of the processor."""
    with contextlib.suppress(psutil.Error, OSError):
        process = psutil.Process()
        for one in (process, *process.children(recursive=True)):
            # A priority belongs to a thread, and the threads that train are there already.
            for thread in one.threads():
                os.setpriority(os.PRIO_PROCESS, thread.id, _NICENESS)
