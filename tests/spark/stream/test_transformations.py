"""Every record comes out exactly once: scored with its own text, or rejected with its raw bytes."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F

from fraudstream.core.errors import ScoringRejected
from fraudstream.stream.scorers import Decision, Scorer
from fraudstream.stream.transformations import decide_elsewhere
from tests.events import GOOD, value

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

REASON = {"field": "amount", "contribution": 1.5}


def scorer_of_amounts() -> Callable[[], Scorer]:
    """A scorer that travels to the workers by value: amount / 100, alerts from 0.5 on, refuses an amount of 66."""

    class AmountScorer:
        def score(self, columns: Mapping[str, Sequence[Any]]) -> list[Decision]:
            if 66.0 in columns["amount"]:
                raise ScoringRejected("HTTP 400: row 0: amount is cursed")
            return [
                Decision(int(amount >= 50), amount / 100, 0.5, "7", [REASON] if amount >= 50 else [])
                for amount in columns["amount"]
            ]

    return AmountScorer


@pytest.fixture(scope="module")
def decided(spark: SparkSession) -> Callable[..., list[tuple[str, str | None, dict[str, Any]]]]:
    def run(*values: bytes) -> list[tuple[str, str | None, dict[str, Any]]]:
        rows = [("transactions", 1, offset, b"key", bytearray(raw)) for offset, raw in enumerate(values)]
        records = spark.createDataFrame(
            rows, "topic STRING, partition INT, offset BIGINT, key BINARY, value BINARY"
        ).withColumn("timestamp", F.lit("2026-11-24 10:11:13.250").cast("timestamp"))
        found = [
            (row["topic"], row["key"] and bytes(row["key"]).decode(), json.loads(bytes(row["value"])))
            for row in decide_elsewhere(records, scorer_of_amounts()).collect()
        ]
        return sorted(found, key=lambda row: row[2]["source"]["offset"])

    return run


def test_a_scored_event_is_its_own_text_and_the_decision(decided: Any) -> None:
    ((topic, key, event),) = decided(value(amount=60.25, merchant={"name": "café"}))
    assert (topic, key) == ("scored", str(GOOD["id"]))
    assert {name: event[name] for name in GOOD} == GOOD | {"amount": 60.25}
    assert event["merchant"] == {"name": "café"}
    assert event["event_time"] == "2026-11-24T10:11:12Z"
    assert (event["prediction"], event["score"], event["threshold"], event["model_version"]) == (1, 0.6025, 0.5, "7")
    assert event["reasons"] == [REASON]
    assert event["source"] == {
        "topic": "transactions",
        "partition": 1,
        "offset": 0,
        "enqueued_at": "2026-11-24T10:11:13.250Z",
    }
    assert event["scored_at"].endswith("Z")


def test_money_stays_as_its_sender_wrote_it(spark: SparkSession) -> None:
    raw = value().replace(b"12.5,", b"12.50,")
    rows = spark.createDataFrame(
        [("transactions", 0, 0, None, bytearray(raw))],
        "topic STRING, partition INT, offset BIGINT, key BINARY, value BINARY",
    ).withColumn("timestamp", F.current_timestamp())
    scored = bytes(decide_elsewhere(rows, scorer_of_amounts()).first()["value"])
    assert b'"amount": 12.50,' in scored


def test_a_rejected_event_keeps_its_bytes_and_its_origin(decided: Any) -> None:
    raw = b"\xff\x00not text"
    ((topic, key, event),) = decided(raw)
    assert (topic, key) == ("rejected", "key")
    assert base64.b64decode(event["raw_base64"], validate=True) == raw
    assert (event["raw_bytes"], event["raw_sha256"]) == (len(raw), hashlib.sha256(raw).hexdigest())
    assert (event["field"], event["reason"], event["key"]) == ("value", "value: not UTF-8 text", "key")
    assert event["source"]["offset"] == 0


def test_an_oversized_event_keeps_its_beginning(decided: Any) -> None:
    raw = b"x" * (2 * 1024 * 1024)
    ((_, _, event),) = decided(raw)
    assert base64.b64decode(event["raw_base64"]) == raw[: 64 * 1024]
    assert (event["raw_bytes"], event["raw_sha256"]) == (len(raw), hashlib.sha256(raw).hexdigest())


def test_the_row_that_the_model_refuses_is_rejected_alone(decided: Any) -> None:
    found = decided(*(value(id=number, amount=66 if number == 5 else 10.0) for number in range(9)))
    assert [topic for topic, _, _ in found] == ["scored"] * 5 + ["rejected"] + ["scored"] * 3
    assert found[5][2]["reason"].startswith("value: refused by the model: HTTP 400")
    assert base64.b64decode(found[5][2]["raw_base64"]) == value(id=5, amount=66)


def test_good_and_bad_events_come_out_once_each(decided: Any) -> None:
    values = [b"" if number % 3 == 0 else value(id=number) for number in range(300)]
    found = decided(*values)
    assert [event["source"]["offset"] for _, _, event in found] == list(range(300))
    assert sum(topic == "rejected" for topic, _, _ in found) == 100
