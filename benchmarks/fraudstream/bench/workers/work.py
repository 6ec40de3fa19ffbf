"""The work of the peers' apps: the stream job's whole work, with the fastest Python libraries for it.

Each event is checked against the contract; a valid one comes out as its own text with the decision behind it, reasons
of alerts included, and any other with its reason and its bytes, for the topic `rejected`.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Literal

import msgspec
import numpy as np
import orjson
from model import Model
from msgspec import Meta

MAX_EVENT_BYTES = 917_504
REASONS = 3

Flag = Annotated[int, Meta(ge=0, le=1)]
Money = Annotated[float, Meta(ge=0, le=3.4028234663852886e38)]
# No text has at least one character and at most none: every value is refused.
Reserved = Annotated[str, Meta(min_length=1, max_length=0)]


class Transaction(msgspec.Struct):  # type: ignore[misc]
    """The event contract."""

    id: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    date: Annotated[str, Meta(min_length=19, max_length=19)]
    amount: Money
    old_balance: Money
    income: Money
    credit: Annotated[int, Meta(ge=0, le=2)]
    marital_status: Flag
    children: Annotated[int, Meta(ge=0, le=4)]
    month: Annotated[int, Meta(ge=1, le=12)]
    day_of_week: Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
    category_recipient: Literal["food_store", "restaurant", "dress_store", "tech_store", "big_purchase"]
    transaction_type: Literal["online", "onsite"]
    transaction_method: Literal["internet_payement", "phone", "card_with_contact", "card_without_contact", "other"]
    foreign_transaction: Flag
    isFraud: Flag | None = None
    _id: Reserved = ""
    enqueued_at: Reserved = ""
    event_time: Reserved = ""
    latency_ms: Reserved = ""
    model_version: Reserved = ""
    origin: Reserved = ""
    prediction: Reserved = ""
    published_at: Reserved = ""
    reasons: Reserved = ""
    score: Reserved = ""
    scored_at: Reserved = ""
    source: Reserved = ""
    stored_at: Reserved = ""
    threshold: Reserved = ""


@dataclass(frozen=True, slots=True)
class Received:
    """A record of `transactions`; ``enqueued_ms`` since 1970."""

    value: bytes
    key: bytes | None
    topic: str
    partition: int
    offset: int
    enqueued_ms: int

    def source(self) -> dict[str, str | int]:
        """The record's place and time, as an output has them."""
        return {
            "topic": self.topic,
            "partition": self.partition,
            "offset": self.offset,
            "enqueued_at": stamp(self.enqueued_ms),
        }


@dataclass(slots=True)
class Made:
    """An output record: scored, unless it is rejected."""

    rejected: bool
    key: bytes | None
    value: bytes


class Work:
    """Takes batches of records; returns one output for each record, in order."""

    def __init__(self) -> None:
        self._model = Model()
        self._read = msgspec.json.Decoder(Transaction).decode

    def __call__(self, records: Sequence[Received]) -> list[Made]:
        """Calls the model once for all valid events, and once for the reasons of alerts."""
        now = stamp(time.time_ns() // 1_000_000)
        results: list[Made | None] = []
        valid: list[tuple[Received, Transaction, str]] = []
        for record in records:
            try:
                if len(record.value) > MAX_EVENT_BYTES:
                    raise ValueError(f"value: {len(record.value)} bytes")
                event = self._read(record.value)
                valid.append((record, event, event_time(event.date)))
                results.append(None)
            except ValueError as error:
                results.append(Made(True, record.key, rejected(record, str(error), now)))
        scored = iter(self._decided(valid, now) if valid else ())
        return [next(scored) if result is None else result for result in results]

    def _decided(self, valid: Sequence[tuple[Received, Transaction, str]], now: str) -> list[Made]:
        model = self._model
        rows = np.array([model.row(event) for _, event, _ in valid], dtype=np.float64)
        scores = model.scores(rows)
        alerts = np.flatnonzero(scores >= model.threshold)
        reasons = dict(zip(alerts.tolist(), self._reasons(rows[alerts]), strict=True)) if len(alerts) else {}
        results = []
        for number, ((record, event, event_at), score) in enumerate(zip(valid, scores.tolist(), strict=True)):
            decision = {
                "event_time": event_at,
                "prediction": int(number in reasons),
                "score": score,
                "threshold": model.threshold,
                "model_version": model.version,
                "scored_at": now,
                "reasons": reasons.get(number, ()),
                "source": record.source(),
            }
            value = record.value
            text = value[: value.rindex(b"}")] + b"," + orjson.dumps(decision)[1:]
            results.append(Made(False, b"%d" % event.id, text))
        return results

    def _reasons(self, rows: np.ndarray) -> list[list[dict[str, str | float]]]:
        shares = self._model.contributions(rows)
        most = np.argsort(-shares, axis=1)[:, :REASONS]
        return [
            [
                {"field": self._model.features[at], "contribution": round(float(share[at]), 4)}
                for at in places
                if share[at] > 0
            ]
            for share, places in zip(shares, most.tolist(), strict=True)
        ]


def stamp(milliseconds: int) -> str:
    """Milliseconds since 1970 as a time in UTC."""
    whole, millis = divmod(milliseconds, 1000)
    return f"{_second(whole)}.{millis:03d}Z"


@lru_cache(64)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def event_time(date: str) -> str:
    """``dd/mm/YYYY HH:MM:SS`` in ISO 8601; raises ``ValueError`` for a date that does not exist."""
    if date[2] != "/" or date[5] != "/" or date[10] != " ":
        raise ValueError(f"{date} is no date dd/mm/YYYY HH:MM:SS - at `$.date`")
    iso = f"{date[6:10]}-{date[3:5]}-{date[:2]}T{date[11:]}Z"
    datetime.fromisoformat(iso)
    return iso


def rejected(record: Received, reason: str, now: str) -> bytes:
    """The value of a rejected record, for an event that breaks the contract."""
    envelope = {
        "reason": reason,
        "field": reason.rpartition("$.")[2].rstrip("`") or "value",
        "raw_base64": base64.b64encode(record.value).decode(),
        "raw_bytes": len(record.value),
        "raw_sha256": hashlib.sha256(record.value).hexdigest(),
        "key": record.key.decode("utf-8", "replace") if record.key is not None else None,
        "rejected_at": now,
        "source": record.source(),
    }
    return orjson.dumps(envelope)
