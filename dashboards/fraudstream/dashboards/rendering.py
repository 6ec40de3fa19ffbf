"""What was rendered is kept for the other viewers of the same view: the work does not grow with the open pages."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

from dash import no_update
from flask import has_request_context, request

from fraudstream.dashboards.formats import Formats, formats, preferred


class Rendered:
    """The newest renderings by what they were made from."""

    def __init__(self, most: int = 32) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, render: Callable[[], Any]) -> Any:
        """The rendering of this key, made now unless it is kept. Nobody may change what is returned."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = render()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made


def request_formats() -> Formats:
    """The formats that the browser of the present request asks for."""
    return preferred(request.headers.get("Accept-Language", "")) if has_request_context() else formats()


def unchanged(outputs: Any) -> Any:
    """The same shape of outputs, each left as it is."""
    if isinstance(outputs, dict):
        return {name: unchanged(part) for name, part in outputs.items()}
    return no_update
