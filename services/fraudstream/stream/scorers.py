"""Where a batch of valid events gets its scores outside Spark: the scoring service over HTTP."""

from __future__ import annotations

import gc
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import orjson
import structlog

from fraudstream.core.errors import ScoringRejected, ScoringUnavailable
from fraudstream.core.settings import Settings, load_settings

Columns = Mapping[str, Sequence[Any]]

_BACKOFF_SECONDS = 0.1
_LONGEST_BACKOFF_SECONDS = 5.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the model says of one event; ``reasons`` is filled for alerts."""

    prediction: int
    score: float
    threshold: float
    model_version: str
    reasons: Sequence[Mapping[str, Any]] = ()


class Scorer(Protocol):
    """Scores the rows of one batch; ``columns`` maps each feature to its n values.

    Raises :class:`ScoringUnavailable` when trying again later may help, :class:`ScoringRejected` when the rows
    themselves are refused.
    """

    def score(self, columns: Columns) -> list[Decision]: ...


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
            transport=httpx.HTTPTransport(limits=httpx.Limits(max_keepalive_connections=2, keepalive_expiry=120)),
        )

    def score(self, columns: Columns) -> list[Decision]:
        rows = list(zip(*columns.values(), strict=True))
        body = orjson.dumps({"input_data": {"columns": list(columns), "index": list(range(len(rows))), "data": rows}})
        answer = self._post(body)
        if len(answer) != len(rows):
            raise ScoringUnavailable(
                f"{self._settings.scoring_url}/score answered {len(answer)} decisions for {len(rows)} rows. "
                "FRAUDSTREAM_SCORING_URL has to name a scoring service of Fraudstream."
            )
        return [
            Decision(
                int(record["prediction"]),
                float(record["score"]),
                float(record["threshold"]),
                str(record.get("model_version", "")),
                record.get("reasons") or (),
            )
            for record in answer
        ]

    def _post(self, body: bytes) -> list[dict[str, Any]]:
        reason = ""
        for attempt in range(self._settings.scoring_attempts):
            if attempt:
                wait = min(_BACKOFF_SECONDS * 2**attempt, _LONGEST_BACKOFF_SECONDS)
                time.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
            try:
                response = self._client.post("/score", content=body)
            except self._failure as error:
                reason = f"{type(error).__name__}: {error}"
                continue
            if response.status_code == 200:
                decisions: list[dict[str, Any]] = orjson.loads(response.content)
                return decisions
            reason = f"HTTP {response.status_code}: {response.text[:200]}"
            if response.status_code in (400, 422, 424):
                raise ScoringRejected(reason)
        raise ScoringUnavailable(
            f"{self._settings.scoring_url}/score gave no answer in {self._settings.scoring_attempts} attempts "
            f"({reason}). The batch is tried again; start the service with `fraudstream up -d`."
        )


@cache
def scorer_for(settings_json: str) -> Scorer:
    """The process's one scorer for these settings (the JSON of ``revealed_values``)."""
    scorer = RemoteScorer(load_settings(**orjson.loads(settings_json)))
    # A worker collects garbage after each task, over all that was ever imported: what is there by now stays.
    gc.freeze()
    return scorer


def score_rows(scorer: Scorer, columns: Columns, count: int) -> list[Decision | str]:
    """A decision for each row, or the reason why the model refuses that row.

    A refused batch is halved until the rows that are to blame stand alone, so that the good ones are scored.
    """
    if count == 0:
        return []
    try:
        return list(scorer.score(columns))
    except ScoringRejected as error:
        if count == 1:
            return [f"value: refused by the model: {error}"]
        half = count // 2
        first = {name: values[:half] for name, values in columns.items()}
        second = {name: values[half:] for name, values in columns.items()}
        return score_rows(scorer, first, half) + score_rows(scorer, second, count - half)
