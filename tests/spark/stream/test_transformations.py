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
        def score(self, columns: Mapping[str, Sequence[Any]], attempts: int | None = None) -> list[Decision]:
            if 66.0 in columns["amount"]:
                raise ScoringRejected("HTTP 400: row 0: amount is cursed")
            return [
                Decision(int(amount >= 50), amount / 100, 0.5, "7", [REASON] if amount >= 50 else [])
                for amount in columns["amount"]
            ]

    return AmountScorer


@pytest.fixture(scope="module")
def decided(spark: SparkSession) -> Callable[..., list[tuple[str, str | None, dict[str, Any]]]]:
    def run(*values: bytes, key: bytes = b"key") -> list[tuple[str, str | None, dict[str, Any]]]:
        rows = [("transactions", 1, offset, bytearray(key), bytearray(raw)) for offset, raw in enumerate(values)]
        records = spark.createDataFrame(
            rows, "topic STRING, partition INT, offset BIGINT, key BINARY, value BINARY"
        ).withColumn("timestamp", F.lit("2026-11-24 10:11:13.250").cast("timestamp"))
        decisions = [
            (row["topic"], row["key"] and bytes(row["key"]).decode(), json.loads(bytes(row["value"])))
            for row in decide_elsewhere(records, scorer_of_amounts()).collect()
        ]
        return sorted(decisions, key=lambda row: row[2]["source"]["offset"])

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
    rows = decided(*(value(id=number, amount=66 if number == 5 else 10.0) for number in range(9)))
    assert [topic for topic, _, _ in rows] == ["scored"] * 5 + ["rejected"] + ["scored"] * 3
    assert rows[5][2]["reason"].startswith("value: refused by the model: HTTP 400")
    assert base64.b64decode(rows[5][2]["raw_base64"]) == value(id=5, amount=66)


def test_good_and_bad_events_come_out_once_each(decided: Any) -> None:
    values = [b"" if number % 3 == 0 else value(id=number) for number in range(300)]
    rows = decided(*values)
    assert [event["source"]["offset"] for _, _, event in rows] == list(range(300))
    assert sum(topic == "rejected" for topic, _, _ in rows) == 100


@pytest.mark.parametrize(
    "key",
    [b"k" * 1_150_000, b"\x01" * 350_000, b"\xff\xfe", b"\x01" * 1024],
    ids=["long", "control", "binary", "short"],
)
@pytest.mark.parametrize(
    "raw",
    [b"x" * 200_000, value(id=7, amount=66, pad="x" * 800_000), value(**{"$" + "\x01" * 900: 1})],
    ids=["not JSON", "refused by the model", "a long name"],
)
def test_every_rejected_record_is_one_that_event_hubs_takes(spark: SparkSession, key: bytes, raw: bytes) -> None:
    records = spark.createDataFrame(
        [("transactions", 0, 0, bytearray(key), bytearray(raw))],
        "topic STRING, partition INT, offset BIGINT, key BINARY, value BINARY",
    ).withColumn("timestamp", F.current_timestamp())
    row = decide_elsewhere(records, scorer_of_amounts()).first()
    assert row["topic"] == "rejected"
    assert len(row["key"]) + len(row["value"]) < 512 * 1024
    event = json.loads(bytes(row["value"]))
    assert (event["raw_bytes"], event["raw_sha256"]) == (len(raw), hashlib.sha256(raw).hexdigest())
    assert raw.startswith(base64.b64decode(event["raw_base64"], validate=True))
    if len(key) <= 1024 and key[0] != 255:
        assert event["key"].encode() == key == bytes(row["key"])
    else:
        assert (base64.b64decode(event["key_base64"]), event["key_bytes"]) == (key[:1024], len(key))


@pytest.mark.parametrize(
    "decision",
    [
        Decision(1, float("nan"), 0.5, "7"),
        Decision(2, 0.5, 0.5, "7"),
        Decision(1, 0.5, 0.5, "7", [{"field": object()}]),
        Decision(1, 0.5, 0.5, "7", [{"field": "amount", "contribution": float("inf")}]),
        Decision(1, 0.5, 0.5, "7", [{"field": "x" * 1_100_000, "contribution": 1.5}]),
    ],
    ids=["no number", "no prediction", "no text", "an endless contribution", "too large"],
)
def test_a_decision_that_cannot_be_sent_on_rejects_its_event_alone(spark: SparkSession, decision: Decision) -> None:
    def scorer() -> Scorer:
        class OddScorer:
            def score(self, columns: Mapping[str, Sequence[Any]], attempts: int | None = None) -> list[Decision]:
                good = Decision(0, 0.1, 0.5, "7")
                return [decision if amount == 13.0 else good for amount in columns["amount"]]

        return OddScorer()

    rows = [("transactions", 0, n, None, bytearray(value(id=n, amount=13 if n == 3 else 10.0))) for n in range(6)]
    records = spark.createDataFrame(rows, "topic STRING, partition INT, offset BIGINT, key BINARY, value BINARY")
    decisions = decide_elsewhere(records.withColumn("timestamp", F.current_timestamp()), scorer).collect()
    assert sorted(row["topic"] for row in decisions) == ["rejected"] + ["scored"] * 5
    (refused,) = (json.loads(bytes(row["value"])) for row in decisions if row["topic"] == "rejected")
    assert refused["reason"].startswith("cannot be scored: ")
    assert (refused["field"], refused["source"]["offset"]) == ("cannot be scored", 3)
