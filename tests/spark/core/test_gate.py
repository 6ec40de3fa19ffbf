"""The gate gives the same verdict with the same reason in Java, where events are scored, and in Python."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from fraudstream.core.contract.event import GATE
from fraudstream.core.errors import EventError
from fraudstream.spark.validation import validate
from tests.events import GOOD, decided
from tests.odd_events import odd_events

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.timeless]

COUNT = 40_000


def verdict(raw: bytes, read: Callable[[bytes], object] = GATE.read) -> tuple[str | None, str | None]:
    try:
        read(raw)
    except EventError as error:
        return str(error), error.field
    return None, None


# Every kind of value, and texts with escapes at their ends; in UTF-8 and in ASCII.
ODD = {"note": 'a "quoted" \\ text\n', "é\t": [1.5e-7, True, None, {"deep": "\\"}], "wide": "\U0001f600 ä"}
WHOLE = [json.dumps(GOOD | ODD, ensure_ascii=ascii_only).encode() for ascii_only in (False, True)]


def test_both_readers_give_the_same_reason(spark: SparkSession) -> None:
    values = list(odd_events(20261128, COUNT))
    # Cut off at every byte.
    values += [whole[:cut] for whole in WHOLE for cut in range(len(whole) + 1)]
    rows = spark.createDataFrame([(n, bytearray(raw)) for n, raw in enumerate(values)], "number INT, value BINARY")
    verdicts = {
        row["number"]: (row["reason"], row["field"])
        for row in validate(rows).select("number", "reason", "field").collect()
    }
    differing = [(raw, verdicts[n], verdict(raw)) for n, raw in enumerate(values) if verdicts[n] != verdict(raw)]
    assert not differing, (len(differing), [(a[-900:], b, c) for a, b, c in differing[:5]])
    accepted = sum(reason is None for reason, _ in verdicts.values())
    assert COUNT / 20 < accepted < COUNT * 19 / 20


def test_both_readers_give_the_same_reason_of_events_with_a_decision(spark: SparkSession) -> None:
    """Whoever wrote them: what the rollups leave out, the documents do as well."""
    values = [decided(raw) for raw in odd_events(20261202, COUNT // 4) if raw.endswith(b"}")]
    rows = spark.createDataFrame([(n, bytearray(raw)) for n, raw in enumerate(values)], "number INT, value BINARY")
    read = validate(rows, decided=True).select("number", "reason", "field").collect()
    verdicts = {row["number"]: (row["reason"], row["field"]) for row in read}
    ours = [verdict(raw, GATE.read_decided) for raw in values]
    differing = [
        (raw, verdicts[n], expected)
        for n, (raw, expected) in enumerate(zip(values, ours, strict=True))
        if verdicts[n] != expected
    ]
    assert not differing, (len(differing), [(a[-900:], b, c) for a, b, c in differing[:5]])
    accepted = sum(reason is None for reason, _ in verdicts.values())
    assert len(values) / 20 < accepted < len(values) * 19 / 20
