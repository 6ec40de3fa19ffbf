"""The service's own metrics, in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import InfoMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_LATEST

_LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The counters of one application, in a registry of their own so that two applications do not mix.

    ``version`` gives the champion's version, or ``None`` while there is none.
    """

    def __init__(self, model_name: str, version: Callable[[], str | None]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "fraudstream_scoring_requests",
            "Requests answered.",
            ("endpoint", "status"),
            registry=self._registry,
        )
        self._latency = Histogram(
            "fraudstream_scoring_request_seconds",
            "Time from a request's headers to the end of its answer.",
            ("endpoint",),
            buckets=_LATENCY_BUCKETS,
            registry=self._registry,
        )
        self._rows = Counter("fraudstream_scoring_rows", "Rows scored.", ("endpoint",), registry=self._registry)
        self._alerts = Counter(
            "fraudstream_scoring_alerts", "Rows predicted to be fraud.", ("endpoint",), registry=self._registry
        )
        self._registry.register(_ChampionInfo(model_name, version))

    def count_request(self, endpoint: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        self._requests.labels(endpoint, str(status)).inc()
        self._latency.labels(endpoint).observe(seconds)

    def count_rows(self, endpoint: str, rows: int, alerts: int) -> None:
        """Count the rows of a request that was scored."""
        self._rows.labels(endpoint).inc(rows)
        self._alerts.labels(endpoint).inc(alerts)

    def exposition(self) -> bytes:
        """Every metric's present value, as :data:`CONTENT_TYPE`."""
        return generate_latest(self._registry)


class _ChampionInfo(Collector):
    """The champion's version, looked up at each scrape. A gauge would keep the labels of former champions."""

    def __init__(self, model_name: str, version: Callable[[], str | None]) -> None:
        self._model_name = model_name
        self._version = version

    def describe(self) -> Iterable[Metric]:
        return [self._family()]

    def collect(self) -> Iterable[Metric]:
        family = self._family()
        version = self._version()
        if version is not None:
            family.add_metric((), {"model_name": self._model_name, "model_version": version})
        return [family]

    @staticmethod
    def _family() -> InfoMetricFamily:
        return InfoMetricFamily("fraudstream_scoring_champion", "The version that scores now.")
