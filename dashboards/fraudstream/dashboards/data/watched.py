"""A thread that works only while somebody looks at its result."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Self


class Watched(ABC):
    """A context manager that runs the thread. The thread rests when nobody has looked for ``idle_seconds``."""

    def __init__(self, name: str, idle_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._idle = idle_seconds
        self._clock = clock
        self._looked_at = float("-inf")
        self._condition = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        self._thread.join(timeout=10)

    @abstractmethod
    def _run(self) -> None:
        """The thread's work, round by round while :meth:`_wait_for_viewers` is true."""

    def _note_look(self) -> None:
        with self._condition:
            self._looked_at = self._clock()
            self._condition.notify_all()

    def _is_watched(self) -> bool:
        return self._clock() - self._looked_at <= self._idle

    def _wait_for_viewers(self) -> bool:
        """Rest until somebody looks; false once it is closed."""
        with self._condition:
            self._condition.wait_for(lambda: self._closed or self._is_watched())
            return not self._closed
