"""The gate gives the same verdict with the same reason in Java, where events are scored, and in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fraudstream.core.errors import EventError
from fraudstream.core.event import GATE
from fraudstream.core.validation import validate
from tests.odd_events import odd_events

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.timeless]

COUNT = 40_000


def verdict(raw: bytes) -> tuple[str | None, str | None]:
    try:
        GATE.read(raw)
    except EventError as error:
        return str(error), error.field
    return None, None


def test_both_readers_give_the_same_reason(spark: SparkSession) -> None:
    values = list(odd_events(20261128, COUNT))
    rows = spark.createDataFrame([(n, bytearray(raw)) for n, raw in enumerate(values)], "number INT, value BINARY")
    found = {
        row["number"]: (row["reason"], row["field"])
        for row in validate(rows).select("number", "reason", "field").collect()
    }
    differing = [(raw, found[n], verdict(raw)) for n, raw in enumerate(values) if found[n] != verdict(raw)]
    assert not differing, (len(differing), differing[:5])
    accepted = sum(reason is None for reason, _ in found.values())
    assert COUNT / 20 < accepted < COUNT * 19 / 20
