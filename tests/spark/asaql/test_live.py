"""Live queries batch by batch: messages, errors, and reference data that change."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fraudstream.asaql.errors import QueryStopped
from fraudstream.asaql.live.binding import LiveReference
from fraudstream.asaql.live.job import LiveHooks
from fraudstream.core.errors import CheckpointMisfit
from tests.spark.asaql.driven import Driven, Message, job_config
from tests.spark.asaql.test_live_times import START, clock, event, moment

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

COUNT = "SELECT k, COUNT(*) AS n INTO o FROM A TIMESTAMP BY at GROUP BY k, TumblingWindow(second, 10)"


def values(rows: list[tuple[str, str]]) -> list[Any]:
    return [json.loads(text) for _, text in rows]


def message(offset: int, value: bytes, topic: str = "A") -> Message:
    return Message(topic, 0, offset, clock(1), value)


def test_a_count_by_key_goes_on_from_batch_to_batch_and_after_a_restart(spark: SparkSession, tmp_path: Path) -> None:
    query = Driven(spark, tmp_path, COUNT, {"A": 1}, job_config())
    assert query.batch(0, [event(0, 1, 1, k="x"), event(1, 2, 2, k="y")]) == []
    query.forget()
    assert query.batch(1, [event(2, 9, 9, k="x")]) == []
    rows = query.batch(2, [event(3, 12, 12, k="x")])
    assert sorted(rows) == [("o", '{"k":"x","n":2}'), ("o", '{"k":"y","n":1}')]
    query.forget()


def test_a_message_may_hold_several_events_and_what_cannot_be_read_is_dropped(
    spark: SparkSession, tmp_path: Path
) -> None:
    text = "SELECT a, PartitionId AS p, EventEnqueuedUtcTime AS t INTO o FROM A; SELECT x INTO c FROM C"
    query = Driven(spark, tmp_path, text, {"A": 1, "C": 1}, job_config(), formats={"C": "csv"})
    content = [b'{"a":1}', b'[{"a":2},{"a":3}]', b'{"a":4}\n{"a":5}\n', b'{"a":', b"", b'{"a":6}{"b"', b"[]"]
    messages = [message(offset, value) for offset, value in enumerate(content)]
    rows = query.batch(0, [*messages, message(0, b"x,y\n7,8\n9,1\n", "C")])
    assert [row["a"] for row in values(rows) if "a" in row] == [1, 2, 3, 4, 5, 6]
    assert {"a": 1, "p": 0, "t": moment(1)} in values(rows)
    assert [row["x"] for row in values(rows) if "x" in row] == ["7", "9"]
    assert query.progress is not None
    assert [(source.records, source.dropped) for source in query.progress.inputs] == [
        (10, {"InputDeserializationError": 4}),
        (2, {}),
    ]
    query.forget()


def test_metadata_are_those_of_an_event_hub(spark: SparkSession, tmp_path: Path) -> None:
    text = (
        "SELECT GetMetadataPropertyValue(A, '[EventHub].[Offset]') AS o, GetMetadataPropertyValue(A, 'EventId') AS id"
        " INTO o FROM A"
    )
    query = Driven(spark, tmp_path, text, {"A": 1}, job_config())
    rows = values(query.batch(0, [message(41, b"{}"), message(42, b"{}")]))
    assert [row["o"] for row in rows] == ["41", "42"]
    assert len({row["id"] for row in rows}) == 2
    query.forget()


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("SELECT CAST(v AS bigint) AS v INTO o FROM A TIMESTAMP BY at", 8),
        ("SELECT SUM(CAST(v AS bigint)) AS v INTO o FROM A TIMESTAMP BY at GROUP BY TumblingWindow(second, 5)", 12),
    ],
)
def test_an_expression_that_fails_ends_the_query_with_its_place_and_the_record(
    spark: SparkSession, tmp_path: Path, text: str, column: int
) -> None:
    query = Driven(spark, tmp_path, text, {"A": 1}, job_config())
    with pytest.raises(QueryStopped, match=r'The record: \{.*"v":"no"') as error:
        query.batch(0, [event(0, 1, 1, v="4"), event(1, 2, 2, v="no"), event(2, 20, 20, v="5")])
    assert (error.value.line, error.value.column) == (1, column)
    query.forget()


FAILING = {
    "window": "SELECT SUM(CAST(v AS bigint)) AS s INTO o FROM A TIMESTAMP BY at GROUP BY TumblingWindow(second, 5)",
    "each": "SELECT CAST(v AS bigint) AS s INTO o FROM A TIMESTAMP BY at",
    "analytic": "SELECT SUM(CAST(v AS bigint)) OVER (LIMIT DURATION(second, 5)) AS s INTO o FROM A TIMESTAMP BY at",
    "join": (
        "SELECT a.n AS a, b.n AS b INTO o FROM A a TIMESTAMP BY at JOIN A b TIMESTAMP BY at"
        " ON DATEDIFF(second, a, b) BETWEEN 0 AND 3 AND CAST(a.v AS bigint) = CAST(b.v AS bigint)"
    ),
    "match": (
        "SELECT * INTO o FROM A TIMESTAMP BY at MATCH_RECOGNIZE (LIMIT DURATION(second, 9) PARTITION BY"
        " CAST(v AS bigint) MEASURES Last(X.n) AS l AFTER MATCH SKIP TO NEXT ROW PATTERN (X) DEFINE X AS X.n > 0) AS m"
    ),
}


@pytest.mark.parametrize("place", FAILING)
def test_a_job_sets_the_record_aside_and_goes_on(spark: SparkSession, tmp_path: Path, place: str) -> None:
    good = [event(0, 1, 1, v="4"), event(2, 2, 2, v="4"), event(3, 12, 12, v="5")]
    plain = Driven(spark, tmp_path / "plain", FAILING[place], {"A": 1}, job_config())
    hooked = LiveHooks(sets_aside=True)
    query = Driven(spark, tmp_path / "aside", FAILING[place], {"A": 1}, job_config(), hooks=hooked)
    expected, rows = Counter(plain.batch(0, good)), Counter(query.batch(0, [good[0], event(1, 2, 2, v="no")]))
    query.forget()
    expected += Counter(plain.batch(1, [], clock(40)))
    rows += Counter(query.batch(1, good[1:]))
    rows += Counter(query.batch(2, [], clock(40)))
    assert rows == expected
    assert rows
    plain.forget()
    query.forget()


def test_what_is_set_aside_is_counted_and_told(spark: SparkSession, tmp_path: Path) -> None:
    text = (
        "WITH s AS (SELECT v, n FROM A TIMESTAMP BY at WHERE n > 0), r AS (SELECT v AS w FROM s WHERE v IS NOT NULL)"
        " SELECT SUM(CAST(w AS bigint)) AS s INTO o FROM r GROUP BY TumblingWindow(second, 5)"
    )
    query = Driven(spark, tmp_path, text, {"A": 1}, job_config(), hooks=LiveHooks(sets_aside=True))
    query.batch(0, [event(1, 1, 1, v="4"), event(2, 2, 2, v="no"), event(3, 20, 20, v="5")])
    assert query.progress is not None
    assert query.progress.set_aside == 1
    (drop,) = query.progress.dropped_records
    # Some steps behind the event, its message is known.
    assert (drop.kind, drop.topic, drop.partition, drop.offset) == ("query", "A", 0, 2)
    assert drop.message.startswith("query: ")
    assert drop.message.endswith("(line 1, column 120)")
    query.forget()


JOINED = "SELECT A.n, R.name INTO o FROM A TIMESTAMP BY at LEFT JOIN R ON A.k = R.k"
COUNTED = (
    "SELECT R.name, COUNT(*) AS c INTO w FROM A TIMESTAMP BY at JOIN R ON A.k = R.k"
    " GROUP BY R.name, TumblingWindow(second, 10)"
)


def reference(path: Path, name: str, changed: float | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"k": 1, "name": name}))
    if changed is not None:
        os.utime(path, (START + changed, START + changed))


def test_reference_data_are_taken_anew_when_their_file_has_changed(spark: SparkSession, tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    reference(file, "old", changed=-100)
    query = Driven(
        spark, tmp_path, f"{JOINED}; {COUNTED}", {"A": 1}, job_config(late=60), [LiveReference("R", str(file))]
    )
    assert values(query.batch(0, [event(0, 1, 1, k=1), event(1, 5, 5, k=2)])) == [
        {"n": 0, "name": "old"},
        {"n": 1, "name": None},
    ]
    reference(file, "new", changed=8)
    second = [event(2, 7, 7, k=1), event(3, 9, 9, k=1), event(4, 25, 25, k=1)]
    rows = query.batch(1, second)
    assert values([row for row in rows if row[0] == "o"]) == [
        {"n": 2, "name": "old"},
        {"n": 3, "name": "new"},
        {"n": 4, "name": "new"},
    ]
    # A repetition has what the first attempt had, whatever the file holds by now.
    reference(file, "newest", changed=25.5)
    query.forget()
    assert Counter(query.batch(1, second)) == Counter(rows)
    query.forget()
    rows = query.batch(2, [event(5, 26, 26, k=1)], None)
    assert values([row for row in rows if row[0] == "o"]) == [{"n": 5, "name": "newest"}]
    counts = values([row for row in query.batch(3, [], clock(200)) if row[0] == "w"])
    assert {(row["name"], row["c"]) for row in counts} >= {("new", 1), ("newest", 1)}
    query.forget()


def test_dated_reference_data_hold_from_the_time_in_their_path(spark: SparkSession, tmp_path: Path) -> None:
    from datetime import UTC, datetime

    def path(second: float) -> Path:
        return tmp_path / "ref" / f"{datetime.fromtimestamp(START + second, UTC):%Y-%m-%d/%H-%M}" / "r.json"

    minute = 60 - START % 60
    for second, name in ((-3600, "older"), (-60, "before"), (minute, "first")):
        reference(path(second), name)
    dated = LiveReference(
        "R", str(tmp_path / "ref/{date}/{time}/r.json"), date_format="yyyy-MM-dd", time_format="HH-mm"
    )
    query = Driven(spark, tmp_path, JOINED, {"A": 1}, job_config(late=600), [dated], starts="earliest")
    rows = values(
        query.batch(0, [event(0, 0, 0, k=1), event(1, minute - 1, minute, k=1), event(2, minute, minute, k=1)])
    )
    assert [row["name"] for row in rows] == ["before", "before", "first"]
    # One of an earlier time comes too late, and one of a later time holds from then on.
    reference(path(minute + 60), "second", changed=0)
    reference(path(-1800), "late", changed=0)
    later = [event(3, minute + 59, minute + 59, k=1), event(4, minute + 61, minute + 61, k=1)]
    assert [row["name"] for row in values(query.batch(1, later))] == ["first", "second"]
    query.forget()


def test_missing_reference_data_are_told(spark: SparkSession, tmp_path: Path) -> None:
    query = Driven(spark, tmp_path, JOINED, {"A": 1}, job_config(), [LiveReference("R", str(tmp_path / "none.json"))])
    with pytest.raises(CheckpointMisfit, match=r"The reference data R have no file: there is nothing at .*none\.json"):
        query.batch(0, [])
    query.forget()
