"""A window's result that fails: many events led to it, and what there is of it goes to `rejected`."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fraudstream.asaql.live.job import LiveHooks
from fraudstream.store.records import Record, document
from tests.spark.asaql.driven import Driven, job_config
from tests.spark.asaql.test_live_times import event, moment

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

FAILING = (
    "SELECT CAST(k AS bigint) AS n, COUNT(*) AS c INTO o FROM A TIMESTAMP BY at GROUP BY k, TumblingWindow(second, 10)"
)


def test_its_group_and_its_window_are_told(spark: SparkSession, tmp_path: Path) -> None:
    query = Driven(spark, tmp_path, FAILING, {"A": 1}, job_config(), hooks=LiveHooks(sets_aside=True))
    rows = query.batch(0, [event(0, 1, 1, k="x"), event(1, 2, 2, k="7"), event(2, 20, 20, k="7")])
    assert rows == [("o", '{"n":7,"c":1}')]
    assert query.progress is not None
    (told,) = query.progress.dropped_records
    assert told.message.startswith("query: ")
    assert json.loads(told.record or "") == {"window_end": moment(10), "group": ["x"]}
    query.forget()


def test_the_store_takes_it_with_its_reason(spark: SparkSession) -> None:
    java: Any = spark._jvm
    row = json.dumps({"window_end": moment(10), "group": ["é"]}, ensure_ascii=False)
    value = bytes(java.fraudstream.spark.QueryGate().rejected(row, "query: no bigint (line 1, column 11)"))
    assert base64.b64decode(json.loads(value)["raw_base64"]) == row.encode()
    at = datetime(2026, 11, 24, tzinfo=UTC)
    stored = document(Record("rejected", 1, 7, at, None, value), at)
    assert (stored["_id"], stored["field"], stored["raw"]) == ("rejected/1/7", "query", row.encode())
    assert stored["reason"] == "query: no bigint (line 1, column 11)"
