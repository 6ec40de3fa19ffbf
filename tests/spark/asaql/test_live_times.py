"""When live rows count and when results leave: the policy for early, late and disordered events, and idle inputs."""

from __future__ import annotations

import json
import random
from collections import Counter, deque
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fraudstream.asaql.errors import QueryError
from tests.spark.asaql.driven import Driven, Message, job_config
from tests.spark.asaql.test_live_properties import DAY, SECOND, batches

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

START = 1_772_000_000
EARLY_SECONDS = 300
SLACK_SECONDS = 2


def moment(second: float) -> str:
    return f"{datetime.fromtimestamp(START + second, UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"


def event(offset: int, second: float, arrival: float, partition: int = 0, topic: str = "A", **fields: Any) -> Message:
    value = json.dumps({"at": moment(second), "n": offset, "p": partition, **fields}).encode()
    return Message(topic, partition, offset, int((START + arrival) * SECOND), value)


def clock(second: float) -> int:
    return int((START + second) * SECOND)


def timed(
    events: Iterable[tuple[int, float, float]], late: float, disorder: float, policy: str
) -> tuple[dict[int, float], Counter[str]]:
    """The times that count, by number, and what was dropped: rule 16.1 of one partition's events, in their order."""
    times: dict[int, float] = {}
    dropped: Counter[str] = Counter()
    watermark = float("-inf")
    for number, second, arrival in events:
        if second > arrival + EARLY_SECONDS:
            dropped["EarlyInputEvent"] += 1
            continue
        if policy == "Drop" and second < arrival - late:
            dropped["LateInputEvent"] += 1
            continue
        if policy == "Drop" and second < watermark:
            dropped["OutOfOrderEvent"] += 1
            continue
        times[number] = max(second, arrival - late, watermark)
        watermark = max(watermark, times[number] - disorder)
    return times, dropped


def unruly(chance: random.Random, count: int) -> list[tuple[int, float, float]]:
    """Events of one partition as they arrive: on time, early, late, and behind others."""
    arrival, events = 0.0, []
    for number in range(count):
        arrival += chance.choice((0, 0.5, 1, 4))
        offset = chance.choice((0, 0, 0.5, -1, -2.5, -6, -40, 2, 8, 290, 301))
        events.append((number, arrival + offset, arrival))
    return events


QUERY = (
    "SELECT n, p, System.Timestamp() AS t INTO each FROM A TIMESTAMP BY at;"
    "SELECT p, COUNT(*) AS c, System.Timestamp() AS t INTO counts FROM A TIMESTAMP BY at"
    " GROUP BY p, TumblingWindow(second, 10)"
)


@pytest.mark.parametrize("policy", ["Adjust", "Drop"])
@pytest.mark.parametrize(("late", "disorder"), [(5, 0), (3, 2)])
def test_each_partitions_events_get_their_times_in_their_own_order(
    spark: SparkSession, tmp_path: Path, policy: str, late: int, disorder: int
) -> None:
    chance = random.Random(late + disorder)
    by_lane = [unruly(chance, 40) for _ in range(2)]
    lanes = {
        f"A/{partition}": deque(event(number, second, arrival, partition) for number, second, arrival in events)
        for partition, events in enumerate(by_lane)
    }
    query = Driven(spark, tmp_path, QUERY, {"A": 2}, job_config(late, disorder, policy))
    each, counts, refused = Counter[str](), Counter[tuple[int, str]](), Counter[str]()
    for number, (messages, at) in enumerate(batches(lanes, chance)):
        for output, text in query.batch(number, messages, at):
            row = json.loads(text)
            if output == "each":
                each[text] += 1
            else:
                counts[row["p"], row["t"]] += row["c"]
        assert query.progress is not None
        if chance.random() < 0.4:
            refused += Counter(query.progress.inputs[0].dropped)
            query.forget()
            query.progress = None
    if query.progress is not None:
        refused += Counter(query.progress.inputs[0].dropped)
    expected, windows, dropped = Counter[str](), Counter[tuple[int, str]](), Counter[str]()
    for partition, events in enumerate(by_lane):
        times, lost = timed(events, late, disorder, policy)
        dropped += lost
        for number, second in times.items():
            expected[json.dumps({"n": number, "p": partition, "t": moment(second)}, separators=(",", ":"))] += 1
            windows[partition, moment(-(-second // 10) * 10)] += 1
    assert each == expected
    assert counts == windows
    assert refused == dropped
    assert dropped["EarlyInputEvent"]
    query.forget()


def test_results_leave_once_all_partitions_have_passed_their_time(spark: SparkSession, tmp_path: Path) -> None:
    query = Driven(spark, tmp_path, QUERY, {"A": 2}, job_config(late=5))
    assert [text for output, text in query.batch(0, [event(0, 1, 1, 0)]) if output == "counts"] == []
    # The other partition is where it was: it may still have anything.
    assert query.batch(1, [event(1, 25, 25, 0)])[1:] == []
    rows = query.batch(2, [event(0, 12, 12, 1)])
    assert ("counts", json.dumps({"p": 0, "c": 1, "t": moment(10)}, separators=(",", ":"))) in rows
    query.forget()


def test_an_idle_input_moves_by_the_clock(spark: SparkSession, tmp_path: Path) -> None:
    query = Driven(spark, tmp_path, QUERY, {"A": 2}, job_config(late=5))
    query.batch(0, [event(0, 1, 1, 0), event(1, 9.5, 9.5, 0)], clock(9.5))
    sure = 10 + 5 + SLACK_SECONDS
    assert query.batch(1, [], clock(sure)) == []
    rows = query.batch(2, [], clock(sure + 1))
    assert rows == [("counts", json.dumps({"p": 0, "c": 2, "t": moment(10)}, separators=(",", ":")))]
    # What arrives after that is late by the same policy, so that nobody can tell whether the clock had moved.
    query.forget()
    late = query.batch(3, [event(0, 2, sure + 2, 1)], None)
    assert late == [("each", json.dumps({"n": 0, "p": 1, "t": moment(sure + 2 - 5)}, separators=(",", ":")))]
    assert query.progress is not None
    assert [source.adjusted for source in query.progress.inputs] == [1]
    query.forget()


def test_a_partition_that_is_behind_is_not_idle(spark: SparkSession, tmp_path: Path) -> None:
    """Its records arrived long ago. The clock says nothing of those that are still unread."""
    query = Driven(spark, tmp_path, QUERY, {"A": 2}, job_config(late=5))
    for number in range(3):
        messages = [event(number, 10 * number + 1, 10 * number + 1, partition) for partition in range(2)]
        rows = query.batch(number, messages, clock(5_000))
        each = [json.loads(text) for output, text in rows if output == "each"]
        assert {row["t"] for row in each} == {moment(10 * number + 1)}
        query.forget()
    assert query.progress is not None
    assert [source.adjusted for source in query.progress.inputs] == [0]


def test_offsets_without_records_are_no_idleness(spark: SparkSession, tmp_path: Path) -> None:
    """As those of transactions are: what comes behind them may have arrived long ago."""
    query = Driven(spark, tmp_path, QUERY, {"A": 1}, job_config(late=5))
    query.batch(0, [event(0, 1, 1)])
    log = query.folder / "spark" / "offsets"
    log.mkdir(parents=True)
    for batch, end in ((0, 1), (1, 3), (2, 3)):
        (log / f"{batch}").write_text(f'v1\n{{"batchWatermarkMs":0}}\n{{"A":{{"0":{end}}}}}\n5')
    assert query.batch(1, [], clock(1_000)) == []
    assert [output for output, _ in query.batch(2, [], clock(1_000))] == ["counts"]
    query.forget()


def test_a_limitless_policy_waits_for_every_partition(spark: SparkSession, tmp_path: Path) -> None:
    query = Driven(spark, tmp_path, QUERY, {"A": 2}, job_config(late=-1))
    query.batch(0, [event(0, 1, 1, 0), event(1, 50, 50, 0)], clock(50))
    assert query.batch(1, [], clock(0) + DAY) == []
    assert [output for output, _ in query.batch(2, [event(0, 30, 30, 1)], None)] == ["counts", "each"]
    query.forget()


def test_without_timestamp_by_the_arrival_counts(spark: SparkSession, tmp_path: Path) -> None:
    text = "SELECT COUNT(*) AS c, System.Timestamp() AS t INTO o FROM A GROUP BY TumblingWindow(second, 10)"
    query = Driven(spark, tmp_path, text, {"A": 1}, job_config(late=5))
    assert query.batch(0, [event(0, 500, 1), event(1, -500, 10)]) == []
    rows = query.batch(1, [], clock(10 + SLACK_SECONDS + 0.5))
    assert rows == [("o", json.dumps({"c": 2, "t": moment(10)}, separators=(",", ":")))]
    query.forget()


def test_keys_of_timestamp_by_over_have_times_of_their_own(spark: SparkSession, tmp_path: Path) -> None:
    text = (
        "SELECT n, System.Timestamp() AS t INTO each FROM A TIMESTAMP BY at OVER k;"
        "SELECT k, COUNT(*) AS c, System.Timestamp() AS t INTO counts FROM A TIMESTAMP BY at OVER k"
        " GROUP BY k, TumblingWindow(second, 10)"
    )
    query = Driven(spark, tmp_path, text, {"A": 1}, job_config(late=20))
    # y's clock is eight seconds behind x's; behind its own events it may not be.
    messages = [
        event(0, 10, 10, k="x"),
        event(1, 2, 10, k="y"),
        event(2, 11, 11, k="x"),
        event(3, 3, 11, k="y"),
        event(4, 9, 12, k="x"),
    ]
    times: dict[int, str] = {}
    for number, message in enumerate(messages):
        for output, text in query.batch(number, [message], None):
            assert output == "each"
            times[json.loads(text)["n"]] = json.loads(text)["t"]
        query.forget()
    assert times == {0: moment(10), 1: moment(2), 2: moment(11), 3: moment(3), 4: moment(11)}
    rows = [json.loads(text) for _, text in query.batch(5, [], clock(60))]
    assert Counter((row["k"], row["t"], row["c"]) for row in rows) == Counter(
        [("x", moment(10), 1), ("x", moment(20), 2), ("y", moment(10), 2)]
    )
    query.forget()


def test_over_without_a_limit_is_refused_by_its_place(spark: SparkSession, tmp_path: Path) -> None:
    text = "SELECT k, COUNT(*) AS c INTO o FROM A TIMESTAMP BY at OVER k GROUP BY k, TumblingWindow(second, 10)"
    with pytest.raises(QueryError, match="EventsLateArrivalMaxDelayInSeconds"):
        Driven(spark, tmp_path, text, {"A": 1}, job_config(late=-1))
