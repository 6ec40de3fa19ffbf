"""Renderings are kept for the other viewers of the same view, so that more open pages do not cost more work."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any

from cachetools import TTLCache, cached
from dash import no_update
from flask import has_request_context, request

from fraudstream.dashboards.ui.formats import Formats, formats, preferred


class Rendered:
    """The ``most`` newest renderings, each under a key that names everything it depends on.

    Viewers who ask for the same rendering at the same time wait for one of them to make it. A rendering is made again
    once it is older than ``seconds``.
    """

    def __init__(self, most: int = 32, seconds: float = math.inf) -> None:
        def render_now(_key: Hashable, render: Callable[[], Any]) -> Any:
            return render()

        self._rendered: Callable[[Hashable, Callable[[], Any]], Any] = cached(
            TTLCache(most, seconds, time.monotonic), key=lambda key, _render: key, condition=threading.Condition()
        )(render_now)

    def get(self, key: Hashable, render: Callable[[], Any]) -> Any:
        """The rendering under this key; ``render`` makes it if there is none. Nobody may change what is returned."""
        return self._rendered(key, render)


def request_formats() -> Formats:
    """The formats that the browser of the present request asks for."""
    return preferred(request.headers.get("Accept-Language", "")) if has_request_context() else formats()


def unchanged(outputs: Any) -> Any:
    """The same shape of outputs, with a value that tells Dash to change none of them."""
    if isinstance(outputs, dict):
        return {name: unchanged(part) for name, part in outputs.items()}
    return no_update
