"""What the processes of our parts have in common: how they end, and how those that answer over HTTP are served."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import Any

import structlog

from fraudstream.core.errors import FraudstreamError

# uvicorn's: requests are counted and not logged, and its own messages are written as ours are.
HTTP_OPTIONS: dict[str, Any] = {"access_log": False, "log_level": "warning", "log_config": None}


def exit_status(work: Callable[[], None]) -> int:
    """Do the work of a process; returns its exit status. What an error of ours says is logged."""
    try:
        work()
    except FraudstreamError as error:
        structlog.get_logger(__name__).error("stopped", reason=str(error))
        return error.exit_status
    return 0


def serve_http(create: Callable[[], Any], host: str, port: int, **options: Any) -> None:
    """Create an application, and serve it until SIGTERM or SIGINT. ``options`` are further ones of uvicorn."""
    import uvicorn

    # uvicorn raises the signal that stopped it once more after its shutdown; to be stopped is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    uvicorn.run(create(), host=host, port=port, **HTTP_OPTIONS, **options)
