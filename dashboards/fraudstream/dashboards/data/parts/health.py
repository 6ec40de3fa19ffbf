"""The state of each part, asked over the part's own protocol, so that it works alike in every profile.

Kafka and the document store are asked through their clients, the scoring service and MLflow over HTTP. The state of the
two jobs follows from the offsets that they commit. Nothing is read from the machine that a part runs on.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.rollups import ALL, rollup_id
from fraudstream.core.documents.client import ROLLUPS
from fraudstream.core.output.text import error_text, told_text
from fraudstream.dashboards.data.parts import devices, ingest
from fraudstream.dashboards.data.parts.model import ModelInfo, ModelSource
from fraudstream.dashboards.data.parts.progress import JOBS, Progress, ProgressReader
from fraudstream.dashboards.data.parts.scoring import scoring_status
from fraudstream.dashboards.data.store import Store

Phase = Literal["ok", "idle", "behind", "stalled", "failing", "away", "unknown"]
# A job that finishes nothing for this long while records wait is stalled.
STALLED_SECONDS = 30.0
# A job is behind if its lag takes longer than this at its present rate.
BEHIND_SECONDS = 10.0
KEPT = timedelta(minutes=15)
_DEADLINE_SECONDS = 4.0
_FIRST_ANSWER_SECONDS = 12.0


@dataclass(frozen=True, slots=True)
class PartHealth:
    """One part: its phase, the phase in words, and its figures (None: not known). Rates are records a second."""

    name: str
    phase: Phase
    detail: str
    rate: float | None = None
    lag: int | None = None
    answer_ms: float | None = None
    errors: int | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Rates (records a second) and lags (records) of the two jobs at one moment."""

    at: datetime
    rates: Mapping[str, float | None]
    lags: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class SystemSnapshot:
    """Every part, the model that serves, and the rates and lags of the last minutes."""

    read_at: datetime
    parts: tuple[PartHealth, ...] = ()
    model: ModelInfo = field(default_factory=ModelInfo)
    samples: tuple[Sample, ...] = ()


class Health:
    """Asks all parts at the same time; a part that misses the deadline is away. Only one thread may use it."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        progress: Callable[[], Progress] | None = None,
        model: Callable[[], ModelInfo] | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._progress = progress or ProgressReader(settings).read
        self._model = model or ModelSource(settings).read
        self._samples: deque[Sample] = deque()
        self._last: tuple[float, Progress] | None = None
        self._moved_at: dict[str, float] = {}
        # One thread for each part that is asked: a part that hangs does not delay the others.
        self._pool = ThreadPoolExecutor(6, thread_name_prefix="health")
        self._pending: dict[str, tuple[float, Future[Any]]] = {}

    def look(self, now: datetime) -> SystemSnapshot:
        """The state of every part. Does not raise if a part is down."""
        ends_at = time.monotonic() + _DEADLINE_SECONDS
        asked: dict[str, Callable[[], Any]] = {
            "kafka": self._progress,
            "documents": self._ask_store,
            "scoring": lambda: scoring_status(self._settings),
            "mlflow": self._model,
        }
        if "ingest" in self._settings.further_parts:
            asked["ingest"] = lambda: ingest.ingest_status(self._settings)
        if "devices" in self._settings.further_parts:
            asked["devices"] = lambda: devices.devices_status(self._settings)
        for name, ask in asked.items():
            if name not in self._pending:
                self._pending[name] = (time.monotonic(), self._pool.submit(_timed, ask))
        answers = {name: self._answer(name, ends_at) for name in list(self._pending)}
        progress = answers["kafka"].value if isinstance(answers["kafka"].value, Progress) else None
        rates, lags = self._rates(progress), progress.lags() if progress else {}
        self._samples.append(Sample(now, rates, lags))
        while self._samples and self._samples[0].at < now - KEPT:
            self._samples.popleft()
        model = answers["mlflow"].value if isinstance(answers["mlflow"].value, ModelInfo) else ModelInfo()
        return SystemSnapshot(
            now,
            (
                _answering("Kafka", answers["kafka"], f"{progress.topics} topics" if progress else ""),
                self._job("stream", "Stream job", progress, rates, lags),
                _counting("Scoring service", answers["scoring"]),
                self._job("store", "Store job", progress, rates, lags),
                _answering("Document store", answers["documents"], "answers"),
                _answering("MLflow", answers["mlflow"], model.summary),
                PartHealth("Dashboards", "ok", "serve this page"),
                *([_counting("Events over HTTP", answers["ingest"])] if "ingest" in answers else ()),
                *([_counting("Devices", answers["devices"])] if "devices" in answers else ()),
            ),
            model,
            tuple(self._samples),
        )

    def _ask_store(self) -> bool:
        cursor = self._store[ROLLUPS].find({"_id": rollup_id("total", None, "live", ALL, ALL)})
        return next(iter(cursor), None) is not None

    def _answer(self, name: str, ends_at: float) -> _Answer:
        asked_at, future = self._pending[name]
        try:
            answer: _Answer = future.result(max(0.0, ends_at - time.monotonic()))
        except TimeoutError:
            waited = time.monotonic() - asked_at
            # The first request also imports the client's code, which takes some seconds on a busy machine.
            return _Answer(None, None, f"no answer for {waited:.0f} s", waited < _FIRST_ANSWER_SECONDS)
        del self._pending[name]
        return answer

    def _rates(self, progress: Progress | None) -> dict[str, float | None]:
        now = time.monotonic()
        if progress is None:
            self._last = None
            return dict.fromkeys(JOBS)
        rates: dict[str, float | None] = dict.fromkeys(JOBS)
        if self._last is not None:
            seconds, last = now - self._last[0], self._last[1]
            for job in JOBS:
                moved = progress.finished(job) - last.finished(job)
                rates[job] = max(moved, 0) / seconds if seconds else None
                if moved > 0:
                    self._moved_at[job] = now
        for job in JOBS:
            self._moved_at.setdefault(job, now)
        self._last = (now, progress)
        return rates

    def _job(
        self,
        job: str,
        name: str,
        progress: Progress | None,
        rates: Mapping[str, float | None],
        lags: Mapping[str, int | None],
    ) -> PartHealth:
        rate, lag = rates.get(job), lags.get(job)
        if progress is None:
            return PartHealth(name, "unknown", "known by what it commits to Kafka, which does not answer")
        if failing := progress.failing.get(job):
            return PartHealth(name, "failing", told_text(failing.sentence), rate, lag)
        if lag is None:
            return PartHealth(name, "idle", "has not finished anything yet", rate, None)
        waits = time.monotonic() - self._moved_at[job]
        if lag and waits > STALLED_SECONDS:
            return PartHealth(name, "stalled", f"nothing finished for {waits:.0f} s while records wait", rate, lag)
        if lag and rate and lag / rate > BEHIND_SECONDS:
            return PartHealth(name, "behind", f"{lag / rate:.0f} s of work ahead", rate, lag)
        if not lag and waits > STALLED_SECONDS:
            return PartHealth(name, "idle", "has finished all there is", rate, lag)
        return PartHealth(name, "ok", "keeps up", rate, lag)


@dataclass(frozen=True, slots=True)
class _Answer:
    value: Any
    milliseconds: float | None
    problem: str = ""
    pending: bool = False

    @property
    def phase(self) -> Phase:
        if not self.problem:
            return "ok"
        return "unknown" if self.pending else "away"


def _timed(ask: Callable[[], Any]) -> _Answer:
    started = time.perf_counter()
    try:
        value = ask()
    # Any error of a client means the same: the part did not answer as it should.
    except Exception as error:
        return _Answer(None, None, error_text(error))
    return _Answer(value, 1000 * (time.perf_counter() - started))


def _counting(name: str, answer: _Answer) -> PartHealth:
    """A part that counts its answers."""
    if answer.problem or answer.value is None:
        return PartHealth(name, answer.phase, answer.problem)
    phase, detail, errors = answer.value
    return PartHealth(name, phase, detail, answer_ms=answer.milliseconds, errors=errors)


def _answering(name: str, answer: _Answer, detail: str) -> PartHealth:
    if answer.problem:
        return PartHealth(name, answer.phase, answer.problem)
    return PartHealth(name, "ok", detail, answer_ms=answer.milliseconds)
