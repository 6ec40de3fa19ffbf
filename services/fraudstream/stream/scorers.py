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
from fraudstream.core.event import FEATURES, FIELD_RULES
from fraudstream.core.settings import Settings, load_settings

Columns = Mapping[str, Sequence[Any]]

_BACKOFF_SECONDS = 0.1
_LONGEST_BACKOFF_SECONDS = 5.0
# So many rows that fail one by one, while none is scored, are not to blame: the model is.
_MOST_WITHOUT_A_GOOD_ONE = 5

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Decision:
    """What the model says of one event; ``reasons`` is filled for alerts."""

    prediction: int
    score: float
    threshold: float
    model_version: str
    reasons: Sequence[Mapping[str, Any]] = ()


class ScoringFailed(ScoringUnavailable):
    """The model itself fails at these rows, again and again; which of them it is, or whether all, is not known."""


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

    def _post(self, body: bytes, attempts: int) -> list[dict[str, Any]]:
        reason, status = "", 0
        for attempt in range(attempts):
            if attempt:
                wait = min(_BACKOFF_SECONDS * 2**attempt, _LONGEST_BACKOFF_SECONDS)
                time.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
            try:
                response = self._client.post("/score", content=body)
            except self._failure as error:
                reason, status = f"{type(error).__name__}: {error}", 0
                continue
            status = response.status_code
            if response.status_code == 200:
                decisions: list[dict[str, Any]] = orjson.loads(response.content)
                return decisions
            reason = f"HTTP {response.status_code}: {response.text[:200]}"
            if response.status_code in (400, 422, 424):
                raise ScoringRejected(reason)
        # What the service answers when the model's own code fails.
        kind = ScoringFailed if status == 500 else ScoringUnavailable
        raise kind(
            f"{self._settings.scoring_url}/score gave no answer in {attempts} attempts "
            f"({reason}). The batch is tried again; start the service with `fraudstream up -d`."
        )


def _require_a_plain_row(scorer: Scorer, failure: ScoringFailed) -> None:
    """Raise ``failure`` where not even a plain row is scored."""
    try:
        scorer.score({name: [plain] for name, plain in _PLAIN.items()}, attempts=1)
    except (ScoringRejected, ScoringFailed):
        raise failure from None


def _plain_values() -> dict[str, Any]:
    rules = {rule.name: rule for rule in FIELD_RULES}
    return {name: rules[name].choices[0] if rules[name].choices else rules[name].minimum for name in FEATURES}


# A row that the contract allows, to see whether the model scores anything.
_PLAIN = _plain_values()


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
    except ScoringFailed as error:
        return _score_around(scorer, columns, count, error)


def _score_around(scorer: Scorer, columns: Columns, count: int, failure: ScoringFailed) -> list[Decision | str]:
    """A decision for each row that can be scored, found by halving; the others with what they make the model fail of.

    Raises ``failure`` where no row at all can be scored: then the model is to blame.
    """
    found: dict[int, Decision | str] = {}
    # Whether the model is known to score anything at all.
    works = False
    waiting = [(0, count)]
    while waiting:
        first, end = waiting.pop()
        some = {name: values[first:end] for name, values in columns.items()}
        try:
            found |= dict(enumerate(scorer.score(some, attempts=1), start=first))
            works = True
        except (ScoringRejected, ScoringFailed) as error:
            middle = (first + end) // 2
            if end - first > 1:
                waiting += [(middle, end), (first, middle)]
                continue
            found[first] = f"cannot be scored: {error}"
            if not works and len(found) >= _MOST_WITHOUT_A_GOOD_ONE:
                _require_a_plain_row(scorer, failure)
                works = True
    if not works:
        _require_a_plain_row(scorer, failure)
    return [found[row] for row in range(count)]
