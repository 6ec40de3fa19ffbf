"""The state of a live query: its files grow with what is open, and one that cannot be used is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fraudstream.core.errors import CheckpointMisfit
from tests.asaql.streams import QUERIES
from tests.spark.asaql.driven import Driven, job_config
from tests.spark.asaql.test_live_properties import whole_text
from tests.spark.asaql.test_live_times import clock, event

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

COUNT = "SELECT k, COUNT(*) AS n INTO o FROM A TIMESTAMP BY at GROUP BY k, TumblingWindow(second, 10)"


def files(query: Driven) -> list[Path]:
    return [file for file in query.folder.rglob("*") if file.is_file()]


def test_what_has_expired_leaves_files_and_memory(spark: SparkSession, tmp_path: Path) -> None:
    """Each batch has keys of its own. Snapshots hold what is in memory."""
    query = Driven(spark, tmp_path, whole_text(list(QUERIES)), {"A": 1, "B": 1}, job_config(late=5), snapshot_bytes=0)
    sizes, counts, offset = [], [], 0
    for batch in range(12):
        messages = []
        for step in range(40):
            second, row = batch * 100 + step * 2, {"id": offset, "k": f"{batch} {step % 4}", "v": step % 5, "w": step}
            messages += [event(offset, second, second, topic=topic, **row) for topic in ("A", "B")]
            offset += 1
        query.batch(batch, messages, clock(batch * 100 + 99))
        assert query.progress is not None
        sizes.append(query.progress.state_bytes)
        counts.append(len(files(query)))
    assert max(sizes[4:]) <= max(sizes[:4]) * 1.05
    assert len(set(counts[2:])) == 1
    # Windows that were open at a restart expire as others do.
    query.forget()
    query.batch(12, [], clock(12 * 100 + 3600))
    assert query.progress is not None
    assert query.progress.state_bytes < sizes[-1] / 10
    query.forget()


def test_logs_give_way_to_snapshots_and_both_are_read_again(spark: SparkSession, tmp_path: Path) -> None:
    query = Driven(spark, tmp_path, COUNT, {"A": 1}, job_config(late=5), snapshot_bytes=4_000)
    kinds, total = set(), 0
    for batch in range(14):
        rows = query.batch(batch, [event(batch * 10 + n, batch, batch, k=f"{n % 3}") for n in range(10)])
        total += sum(json.loads(text)["n"] for _, text in rows)
        state = [file.suffix for file in files(query) if file.parent.name == "state"]
        kinds |= set(state)
        assert len(state) < 25
        query.forget()
    assert kinds == {".log", ".snapshot"}
    total += sum(json.loads(text)["n"] for _, text in query.batch(14, [], clock(3600)))
    assert total == 140
    query.forget()


@pytest.fixture
def stopped(spark: SparkSession, tmp_path: Path) -> Driven:
    """A query after three batches, with a log and a snapshot, whose process has ended."""
    query = Driven(spark, tmp_path, COUNT, {"A": 1}, job_config(late=5), snapshot_bytes=1_500)
    for batch in range(3):
        query.batch(batch, [event(batch * 10 + n, batch, batch, k=f"{n}") for n in range(10 if batch < 2 else 4)])
    query.forget()
    return query


@pytest.mark.parametrize("pattern", ["query/state/*.log", "query/state/*.snapshot", "query/3.version"])
@pytest.mark.parametrize("damage", ["cut", "changed", "gone"])
def test_a_torn_or_missing_file_is_refused_with_what_to_do(stopped: Driven, pattern: str, damage: str) -> None:
    damaged = sorted(stopped.folder.glob(pattern))
    assert damaged
    for file in damaged:
        content = file.read_bytes()
        if damage == "gone":
            file.unlink()
        elif damage == "cut":
            file.write_bytes(content[:-3])
        else:
            file.write_bytes(content[:20] + bytes([content[20] ^ 1]) + content[21:])
    with pytest.raises(
        CheckpointMisfit, match=rf"is (?:torn|missing).*Remove the folder {stopped.folder} to begin anew"
    ):
        stopped.batch(3, [event(100, 5, 5, k="x")])


def test_a_changed_query_is_refused_and_a_changed_layout_is_not(
    spark: SparkSession, tmp_path: Path, stopped: Driven
) -> None:
    laid_out = COUNT.replace("SELECT", "/* k */ select").replace(" GROUP BY", "\n  -- by key\n  group  by")
    same = Driven(spark, tmp_path, laid_out, {"A": 1}, job_config(late=5))
    same.batch(3, [])
    same.forget()
    other = Driven(spark, tmp_path, COUNT.replace("10)", "20)"), {"A": 1}, job_config(late=5))
    with pytest.raises(CheckpointMisfit, match=r"The query, .* is not that of the checkpoint\. Remove the folder"):
        other.batch(3, [])


def test_a_batch_that_was_cut_off_before_its_version_is_run_again(spark: SparkSession, tmp_path: Path) -> None:
    query = Driven(spark, tmp_path, COUNT, {"A": 1}, job_config(late=5), snapshot_bytes=1_500)
    for batch in range(3):
        query.batch(batch, [event(batch * 10 + n, batch, batch, k=f"{n}") for n in range(10)])
    before = {file: file.read_bytes() for file in files(query)}
    messages = [event(30, 4, 4, k="x"), event(31, 20, 20, k="x")]
    rows = query.batch(3, messages)
    query.forget()
    # The state's files are written, and nothing names them yet.
    (query.folder / "query" / "4.version").unlink()
    for file, content in before.items():
        file.write_bytes(content)
    assert query.batch(3, messages) == rows
    query.forget()


def test_a_state_without_sparks_files_is_refused(stopped: Driven) -> None:
    with pytest.raises(CheckpointMisfit, match=r"The state is ahead of Spark's files: .* and batch 0 comes next\."):
        stopped.batch(0, [])
