"""The service's own metrics, in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, generate_latest

CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """The counters of one application; ``waiting`` gives how many events are on their way to the broker."""

    def __init__(self, waiting: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "fraudstream_ingest_requests", "Requests to send that were answered.", ("status",), registry=self._registry
        )
        self._events = Counter("fraudstream_ingest_events", "Events acknowledged.", registry=self._registry)
        gauge = Gauge("fraudstream_ingest_waiting_events", "Events without an answer yet.", registry=self._registry)
        gauge.set_function(waiting)

    def count_taken(self, events: int) -> None:
        """Count a request whose events the broker has."""
        self._requests.labels("201").inc()
        self._events.inc(events)

    def count_refused(self, status: int) -> None:
        """Count a request that was not taken."""
        self._requests.labels(str(status)).inc()

    def exposition(self) -> bytes:
        """Every metric's present value, as :data:`CONTENT_TYPE`."""
        return generate_latest(self._registry)
