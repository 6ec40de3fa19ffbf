"""What was rendered is kept for the other viewers of the same view: the work does not grow with the open pages."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from dash import no_update
from flask import has_request_context, request

from fraudstream.dashboards.ui.formats import Formats, formats, preferred


@dataclass(slots=True)
class _Made:
    """A rendering, or one that is being made; ``at`` is when it was, in seconds of the monotonic clock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    value: Any = None
    at: float | None = None


class Rendered:
    """The newest renderings by what they were made from.

    Viewers who ask for the same one at the same time wait for the first to make it. With ``seconds`` a rendering is
    made anew once it is older than that.
    """

    def __init__(self, most: int = 32, seconds: float = float("inf")) -> None:
        self._most = most
        self._seconds = seconds
        self._kept: OrderedDict[Hashable, _Made] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, render: Callable[[], Any]) -> Any:
        """The rendering of this key, made now unless it is kept. Nobody may change what is returned."""
        with self._lock:
            made = self._kept.setdefault(key, _Made())
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        with made.lock:
            if made.at is None or time.monotonic() - made.at > self._seconds:
                made.value = render()
                made.at = time.monotonic()
            return made.value


def request_formats() -> Formats:
    """The formats that the browser of the present request asks for."""
    return preferred(request.headers.get("Accept-Language", "")) if has_request_context() else formats()


def unchanged(outputs: Any) -> Any:
    """The same shape of outputs, each left as it is."""
    if isinstance(outputs, dict):
        return {name: unchanged(part) for name, part in outputs.items()}
    return no_update
