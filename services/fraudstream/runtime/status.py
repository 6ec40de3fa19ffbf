"""What ``fraudstream status`` shows: each part's process, and how the stream keeps up.

What cannot be found out within a few seconds is ``None``; nothing here raises because a part is down.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.documents import client as documents
from fraudstream.core.documents.stored import milliseconds
from fraudstream.core.figures import quantile
from fraudstream.core.kafka.broker import asking
from fraudstream.core.kafka.progress import GROUP_TOPICS, STORE_GROUP, STREAM_GROUP, group_progress
from fraudstream.runtime.supervise import process
from fraudstream.runtime.supervise.preflight import runs_here
from fraudstream.runtime.supervise.state import DataLock, PartPhase, PartState, read_state

RATE_WINDOW_SECONDS = 10
DEADLINE_SECONDS = 2.5

_CONNECT_SECONDS = 0.5
_REQUEST_TIMEOUT_MS = 2_000


@dataclass(frozen=True, slots=True)
class PartStatus:
    """A supervised part; ``memory_bytes`` is the resident memory of its process and all descendants.

    ``problem``: what it fails of again and again, since when and what to do, while it does.
    """

    name: str
    state: PartPhase
    pid: int | None
    ports: tuple[int, ...]
    memory_bytes: int | None
    restarts: int
    last_exit: str | None
    uptime_seconds: float | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """How the stream keeps up: events/s over the last ten seconds, records not yet processed, and latencies in ms.

    ``problems``: what each job, by its part's name, says of a failure that it repeats.
    """

    input_rate: float | None = None
    lag: int | None = None
    store_lag: int | None = None
    latency_p50_ms: float | None = None
    latency_p95_ms: float | None = None
    rejected: int | None = None
    problems: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Status:
    """Everything that the status command reports."""

    profile: str
    runs_here: bool
    supervisor_pid: int | None
    parts: tuple[PartStatus, ...]
    stream: StreamStatus

    @property
    def all_ready(self) -> bool:
        """All parts of this machine are ready; where they run elsewhere, broker and document store answer.

        A job that repeats a failure is not ready, wherever it runs.
        """
        if self.stream.problems:
            return False
        if self.runs_here:
            return bool(self.parts) and all(part.state == "ready" for part in self.parts)
        return self.stream.lag is not None and self.stream.rejected is not None

    def to_json(self) -> dict[str, Any]:
        """The status as one JSON-ready object."""
        return asdict(self) | {"running": self.supervisor_pid is not None, "all_ready": self.all_ready}


def collect(settings: Settings, deadline_seconds: float = DEADLINE_SECONDS) -> Status:
    """Look at processes, topics and documents at the same time; what takes longer than the deadline is ``None``."""
    kafka_figures = _InBackground(lambda: _kafka_figures(settings))
    document_figures = _InBackground(lambda: _document_figures(settings))
    ends_at = time.monotonic() + deadline_seconds
    data_dir = settings.data_dir.resolve()
    supervisor_pid = DataLock(data_dir).holder()
    state = read_state(data_dir)
    states = state.parts.values() if state else ()
    parts = tuple(_part_status(part, alive=supervisor_pid is not None) for part in states)
    figures = kafka_figures.result(ends_at) | document_figures.result(ends_at)
    return Status(settings.profile, runs_here(settings), supervisor_pid, parts, StreamStatus(**figures))


class _InBackground:
    """Figures gathered in a thread that nobody waits for longer than the deadline."""

    def __init__(self, gather: Callable[[], dict[str, Any]]) -> None:
        self._gather = gather
        self._figures: dict[str, Any] = {}
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def result(self, ends_at: float) -> dict[str, Any]:
        self._thread.join(max(0.0, ends_at - time.monotonic()))
        return self._figures

    def _run(self) -> None:
        try:
            self._figures = self._gather()
        except Exception:  # a part that is down has no figures, whatever the client's error is called
            self._figures = {}


def _part_status(part: PartState, alive: bool) -> PartStatus:
    running = alive and process.same_process(part.pid, part.create_time)
    return PartStatus(
        name=part.name,
        state=part.state if alive else "stopped",
        pid=part.pid if running else None,
        ports=tuple(part.ports),
        memory_bytes=process.family_memory(part.pid) if running and part.pid else None,
        restarts=part.restarts,
        last_exit=part.last_exit,
        uptime_seconds=time.time() - part.started_at if running and part.started_at else None,
        problem=part.problem if alive else None,
    )


def _kafka_figures(settings: Settings) -> dict[str, Any]:
    if not any(_listens(server) for server in settings.kafka_bootstrap_servers.split(",")):
        return {}
    quick = {"request_timeout_ms": _REQUEST_TIMEOUT_MS, "bootstrap_timeout_ms": _REQUEST_TIMEOUT_MS}
    with asking(settings, STREAM_GROUP, **quick) as reader:
        stream = group_progress(reader, GROUP_TOPICS[STREAM_GROUP], _REQUEST_TIMEOUT_MS)
        since_ms = int((time.time() - RATE_WINDOW_SECONDS) * 1000)
        since = reader.offsets_for_times(dict.fromkeys(stream.ends, since_ms))
    with asking(settings, STORE_GROUP, **quick) as reader:
        store = group_progress(reader, GROUP_TOPICS[STORE_GROUP], _REQUEST_TIMEOUT_MS)
    arrived = sum(stream.ends[part] - first.offset for part, first in since.items() if first is not None)
    jobs = {"stream": stream, "store": store}
    return {
        "input_rate": arrived / RATE_WINDOW_SECONDS if stream.ends else None,
        "lag": stream.lag if stream.ends else None,
        "store_lag": store.lag if store.ends else None,
        "problems": {name: job.failing.sentence for name, job in jobs.items() if job.failing is not None},
    }


def _document_figures(settings: Settings) -> dict[str, Any]:
    client = documents.client(settings, serverSelectionTimeoutMS=1_000, connectTimeoutMS=1_000, socketTimeoutMS=2_000)
    try:
        db = client[settings.mongo_database]
        recent = db[documents.RECENT].find({}, {"latency_ms": 1})
        # Others may have written there, too.
        measured = (milliseconds(document.get("latency_ms")) for document in recent)
        latencies = sorted(latency for latency in measured if latency is not None)
        return {
            "latency_p50_ms": quantile(latencies, 0.50),
            "latency_p95_ms": quantile(latencies, 0.95),
            "rejected": db[documents.REJECTED].estimated_document_count(),
        }
    finally:
        client.close()


def _listens(server: str) -> bool:
    # The full client would try for its whole time limit, and log each refusal.
    host, _, port = server.strip().rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS):
            return True
    except (OSError, ValueError):
        return False
