"""Being told to end: SIGTERM and a terminal that closes (SIGHUP) end a command as orderly as Ctrl-C does."""

from __future__ import annotations

import os
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))
_SIGNALLED = 128


class Interrupted(KeyboardInterrupt):
    """A signal other than Ctrl-C's asks this process to end."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextmanager
def ending_in_order() -> Iterator[None]:
    """While the block runs, both signals raise :class:`Interrupted` in it, so that what it started is stopped.

    The process then ends with 128 and the signal's number, as shells report it. Only the first one is raised: those
    that follow must not keep the block from stopping things.
    """
    before = {number: signal.getsignal(number) for number in _heeded()}

    def end(number: int, _frame: FrameType | None) -> None:
        for heeded in before:
            signal.signal(heeded, lambda *_: None)
        _leave_terminal(number)
        raise Interrupted(number)

    for number in before:
        signal.signal(number, end)
    try:
        yield
    except Interrupted as interrupt:
        sys.exit(_SIGNALLED + interrupt.number)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def call_at_end(stop: Callable[[], None]) -> None:
    """Have ``stop`` called at Ctrl-C and both signals, for the rest of the process."""

    def end(number: int, _frame: FrameType | None) -> None:
        _leave_terminal(number)
        stop()

    for number in (signal.SIGINT, *_heeded()):
        signal.signal(number, end)


def _heeded() -> list[int]:
    """Those of the signals that nobody (``nohup``) has asked to ignore."""
    return [number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN]


def _leave_terminal(number: int) -> None:
    """Say what is still said to nobody, where the terminal has closed: writing to it would fail."""
    if number != getattr(signal, "SIGHUP", None):
        return
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        if stat.S_ISCHR(os.fstat(stream).st_mode):
            os.dup2(nowhere, stream)
    os.close(nowhere)
