"""Where a batch of valid events gets its scores outside Spark: the scoring service over HTTP."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Protocol

import orjson
import structlog

from fraudstream.core.configuration.settings import Settings, load_settings
from fraudstream.core.contract.event import plain_inputs
from fraudstream.core.errors import ScoringRejected, ScoringUnavailable
from fraudstream.core.output.text import told_text
from fraudstream.core.retry import Backoff

Columns = Mapping[str, Sequence[Any]]

# Tries of one request; the jitter keeps the tasks from coming back at the same moment.
BACKOFF = Backoff(0.2, 5.0, jitter=(0.5, 1.0))
# Where this many rows fail one by one and none is scored, the model is to blame.
_MOST_WITHOUT_A_GOOD_ONE = 5
# How often a row that failed alone is tried once more; where many failed, each of the others once.
_SECOND_TRIES = 3
_PATIENTLY_TRIED = 20
# What an endpoint of Azure ML makes of each answer of its container that is not 200: a refusal and a failure alike.
# https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-online-endpoints#http-status-codes
_MODEL_ERROR = 424

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the model says of one event; ``reasons`` is filled for alerts."""

    prediction: int
    score: float
    threshold: float
    model_version: str
    reasons: Sequence[Mapping[str, Any]] = ()

    @property
    def problem(self) -> str:
        """What of it cannot be in a record; empty for a decision that can."""
        if not (math.isfinite(self.score) and math.isfinite(self.threshold) and self.prediction in (0, 1)):
            return f"prediction {self.prediction}, score {self.score}, threshold {self.threshold}"
        for reason in self.reasons:
            contribution = reason.get("contribution")
            is_number = isinstance(contribution, float) and math.isfinite(contribution)
            if not is_number or not isinstance(reason.get("field"), str):
                return f"the reason {reason!r}"[:200]
        return ""


class ScoringFailed(ScoringUnavailable):
    """The model itself fails at these rows, again and again; it may be one of them or all."""


class Scorer(Protocol):
    """Scores the rows of one batch; ``columns`` maps each feature to its n values, ``attempts`` limits the tries.

    Raises :class:`ScoringUnavailable` when trying again later may help, :class:`ScoringFailed` when the model fails,
    :class:`ScoringRejected` when the rows themselves are refused.
    """

    def score(self, columns: Columns, attempts: int | None = None) -> list[Decision]: ...


class RemoteScorer:
    """The scoring service: one request per batch, over a connection that is kept alive."""

    def __init__(self, settings: Settings) -> None:
        import httpx

        key = settings.scoring_key.get_secret_value()
        self._settings = settings
        self._failure = httpx.TransportError
        self._client = httpx.Client(
            base_url=settings.scoring_url,
            timeout=settings.scoring_timeout_seconds,
            headers={"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {}),
            limits=httpx.Limits(max_keepalive_connections=2, keepalive_expiry=120),
        )

    def score(self, columns: Columns, attempts: int | None = None) -> list[Decision]:
        rows = list(zip(*columns.values(), strict=True))
        body = orjson.dumps({"input_data": {"columns": list(columns), "index": list(range(len(rows))), "data": rows}})
        answer = self._post(body, attempts or self._settings.scoring_attempts)
        if len(answer) != len(rows):
            raise ScoringUnavailable(self._other(f"{len(answer)} decisions for {len(rows)} rows"))
        try:
            return [_decision(record) for record in answer]
        except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
            # Whether one row causes it or all do, the search by halving shows.
            text = self._other(f"a decision that is none of ours ({type(error).__name__}: {error})")
            raise ScoringFailed(text) from error

    def _other(self, answer: str) -> str:
        return (
            f"{self._settings.scoring_url}/score answered {answer}. "
            "FRAUDSTREAM_SCORING_URL has to name a scoring service of Fraudstream."
        )

    def _post(self, body: bytes, attempts: int) -> list[dict[str, Any]]:
        reason, status = "", 0
        for attempt in range(attempts):
            if attempt:
                time.sleep(BACKOFF.seconds(attempt))
            try:
                response = self._client.post("/score", content=body)
            except self._failure as error:
                reason, status = f"{type(error).__name__}: {error}", 0
                continue
            status = response.status_code
            if response.status_code == 200:
                return self._decisions(response.content)
            reason = f"HTTP {response.status_code}: {told_text(response.text, 200)}"
            if status in (400, 422):
                raise ScoringRejected(reason)
            if status == _MODEL_ERROR:
                break
        # What the service answers when the model's own code fails.
        kind = ScoringFailed if status in (500, _MODEL_ERROR) else ScoringUnavailable
        raise kind(
            f"{self._settings.scoring_url}/score gave no answer in {attempt + 1} attempts "
            f"({reason}). The batch is tried again; start the service with `fraudstream up -d`."
        )

    def _decisions(self, content: bytes) -> list[dict[str, Any]]:
        try:
            decisions = orjson.loads(content)
        except orjson.JSONDecodeError:
            raise ScoringUnavailable(self._other(f"what is no JSON ({content[:80]!r})")) from None
        if not isinstance(decisions, list):
            raise ScoringUnavailable(self._other(f"{content[:80]!r} instead of a list of decisions"))
        return decisions


def _decision(record: Mapping[str, Any]) -> Decision:
    """Raises ``TypeError``, ``ValueError``, ``KeyError`` … for an answer that is no decision."""
    reasons = [
        {"field": reason["field"], "contribution": float(reason["contribution"])}
        for reason in record.get("reasons") or ()
    ]
    score, threshold = float(record["score"]), float(record["threshold"])
    decision = Decision(record["prediction"], score, threshold, str(record.get("model_version", "")), reasons)
    if decision.problem:
        raise ValueError(decision.problem)
    return replace(decision, prediction=int(decision.prediction))


def _require_a_plain_row(scorer: Scorer, failure: ScoringRejected | ScoringFailed) -> None:
    """Raise :class:`ScoringFailed` where not even a plain row is scored."""
    try:
        scorer.score({name: [plain] for name, plain in _PLAIN.items()}, attempts=1)
    except (ScoringRejected, ScoringFailed):
        if isinstance(failure, ScoringFailed):
            raise failure from None
        raise ScoringFailed(
            f"The scoring service refuses every row, also one of plain values ({failure}). Its champion has to be a "
            "model of these transactions: `fraudstream models list`."
        ) from None


# A row that the contract allows, to see whether the model scores anything.
_PLAIN = plain_inputs()


@cache
def scorer_for(settings_json: str) -> Scorer:
    """The process's one scorer for these settings (the JSON of ``revealed_values``)."""
    scorer = RemoteScorer(load_settings(**orjson.loads(settings_json)))
    # A worker collects garbage after each task. Freezing keeps it from going through all imported modules.
    gc.freeze()
    return scorer


def score_rows(scorer: Scorer, columns: Columns, count: int) -> list[Decision | str]:
    """A decision for each row, or the reason why the model refuses that row.

    A refused batch is halved until each row to blame stands alone, so that all others are scored.
    """
    if count == 0:
        return []
    try:
        return list(scorer.score(columns))
    except (ScoringRejected, ScoringFailed) as error:
        return _score_around(scorer, columns, count, error)


def _score_around(
    scorer: Scorer, columns: Columns, count: int, failure: ScoringRejected | ScoringFailed
) -> list[Decision | str]:
    """A decision for each row that can be scored, found by halving; the others get the model's error.

    Raises :class:`ScoringFailed` where no row at all can be scored: then the model is to blame.
    """
    decisions: dict[int, Decision | str] = {}
    failed: list[int] = []
    # Whether the model is known to score anything at all.
    works = False
    waiting = [(0, count)]
    while waiting:
        first, end = waiting.pop()
        try:
            decisions |= dict(enumerate(scorer.score(_rows(columns, first, end), attempts=1), start=first))
            works = True
        except (ScoringRejected, ScoringFailed) as error:
            middle = (first + end) // 2
            if end - first > 1:
                waiting += [(middle, end), (first, middle)]
                continue
            decisions[first] = _refusal(error)
            if isinstance(error, ScoringFailed):
                failed.append(first)
            if not works and len(decisions) >= _MOST_WITHOUT_A_GOOD_ONE:
                _require_a_plain_row(scorer, failure)
                works = True
    if not works:
        _require_a_plain_row(scorer, failure)
    # The service, or one of several, may have failed for a moment only.
    for tried, row in enumerate(failed):
        try:
            (decisions[row],) = scorer.score(
                _rows(columns, row, row + 1), attempts=_SECOND_TRIES if tried < _PATIENTLY_TRIED else 1
            )
        except (ScoringRejected, ScoringFailed) as error:
            decisions[row] = _refusal(error)
    return [decisions[row] for row in range(count)]


def _rows(columns: Columns, first: int, end: int) -> Columns:
    return {name: values[first:end] for name, values in columns.items()}


def _refusal(error: ScoringRejected | ScoringFailed) -> str:
    return f"{'value: refused by the model' if isinstance(error, ScoringRejected) else 'cannot be scored'}: {error}"
