"""Reference data of a job that runs: a record meets the rows of its own time, and new files need no restart."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.project_files.folder import InputPlace
from fraudstream.asaql.project_files.models import InputFile
from fraudstream.asaql.strategies.job_file import job_file
from fraudstream.asaql.strategies.job_query import JobQuery, compiled_query, job_query
from fraudstream.bench.job.equality import records_of
from fraudstream.core.contract.event import ID, PROJECT
from fraudstream.stream.query import StreamQuery, refusal
from fraudstream.stream.transformations import decide_here
from tests.events import value

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

QUERY = f"SELECT t.{ID} AS number, r.name INTO scored FROM transactions t LEFT JOIN ref r ON t.merchant = r.k"  # noqa: S608
# In seconds since 1970; long enough ago that files of then are settled.
BASE = time.time() // 3600 * 3600 - 100 * 3600
MINUTE = 60

Names = Callable[[Path, Sequence[float]], list[str | None]]


def joined(folder: Path, path: str) -> JobQuery:
    """A query that joins the reference data ``ref``, which are at a path below the folder."""
    entries = {"InputAlias": "ref", "Type": "Reference Data", "FilePath": path, "ScriptType": "InputMock"}
    service = {"Name": "ref", "Type": "Reference data", "DateFormat": "yyyy-MM-dd", "TimeFormat": "HH-mm"}
    files = job_query(PROJECT).files
    places = (
        InputPlace(folder / "Local_ref.json", InputFile.of(entries, "Local_ref.json")),
        InputPlace(folder / "ref.json", InputFile.of(service, "ref.json")),
    )
    return compiled_query(PROJECT, replace(files, text=QUERY, inputs=(*files.inputs, *places)))


def write(file: Path, name: str, changed: float = BASE) -> None:
    """A file with one row, as one that was changed at a time in seconds since 1970."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name("partial")
    partial.write_text(json.dumps({"k": "m", "name": name}))
    os.utime(partial, (changed, changed))
    partial.replace(file)


def dated(folder: Path, second: float) -> Path:
    return folder / f"{datetime.fromtimestamp(second, UTC):%Y-%m-%d/%H-%M}" / "r.json"


@pytest.fixture
def names(spark: SparkSession) -> Names:
    """The names that a compiled query joins records of these times with, in seconds since 1970."""
    from pyspark.sql import functions as F

    def joined_names(job: Path, seconds: Sequence[float]) -> list[str | None]:
        records = records_of(spark, [value(id=number, merchant="m") for number in range(len(seconds))])
        times = F.array(*(F.lit(second) for second in seconds))
        moved = records.withColumn("timestamp", times[F.col("offset").cast("int")].cast("timestamp")).coalesce(1)
        rows = decide_here(moved, None, job).collect()
        told = {content["number"]: content.get("name") for content in (json.loads(bytes(row["value"])) for row in rows)}
        return [told[number] for number in range(len(seconds))]

    return joined_names


def await_names(names: Names, job: Path, seconds: Sequence[float], expected: list[str | None]) -> None:
    until = time.monotonic() + 20
    while (found := names(job, seconds)) != expected:
        assert time.monotonic() < until, found
        time.sleep(0.1)


def test_a_file_that_has_changed_holds_from_then_on_without_a_restart(names: Names, tmp_path: Path) -> None:
    file = tmp_path / "ref.json"
    write(file, "old")
    job = job_file(tmp_path, joined(tmp_path, "ref.json"))
    assert names(job, [BASE - 9, BASE + 20]) == ["old", "old"]
    write(file, "new", changed=BASE + 10)
    await_names(names, job, [BASE + 9, BASE + 10, BASE + 20], ["old", "new", "new"])
    # A file that is not there for a while leaves what is known in force.
    file.unlink()
    ends = time.monotonic() + 1.5
    while time.monotonic() < ends:
        assert names(job, [BASE + 9, BASE + 20]) == ["old", "new"]
    for number in range(6):
        write(file, f"newer {number}", changed=BASE + 30 + number)
        await_names(names, job, [BASE + 90], [f"newer {number}"])
    assert names(job, [BASE + 33, BASE + 34, BASE + 35]) == ["newer 3", "newer 4", "newer 5"]


def test_a_file_that_is_being_written_is_not_read_yet(names: Names, tmp_path: Path) -> None:
    file = tmp_path / "ref.json"
    write(file, "old")
    job = job_file(tmp_path, joined(tmp_path, "ref.json"))
    assert names(job, [BASE]) == ["old"]
    ends = time.monotonic() + 2
    while time.monotonic() < ends:
        file.write_text('{"k": "m", "na')
        assert names(job, [time.time() + 60]) == ["old"]
    file.write_text(json.dumps({"k": "m", "name": "whole"}))
    await_names(names, job, [time.time() + 60], ["whole"])


def test_a_dated_path_is_a_file_for_each_time(names: Names, tmp_path: Path) -> None:
    for minute in range(0, 40, 2):
        write(dated(tmp_path, BASE + minute * MINUTE), f"of {minute}")
    query = joined(tmp_path, "{date}/{time}/r.json")
    job = job_file(tmp_path, query)
    # More files than are in memory at a time, in any order.
    minutes = [number / 4 for number in range(-4, 180)]
    random.Random(5).shuffle(minutes)
    expected = [f"of {min(38, max(0, int(minute // 2) * 2))}" for minute in minutes]
    assert names(job, [BASE + minute * MINUTE for minute in minutes]) == expected

    write(dated(tmp_path, BASE + 41 * MINUTE), "of 41")
    await_names(names, job, [BASE + 40 * MINUTE, BASE + 41 * MINUTE], ["of 38", "of 41"])
    # What a record meets follows from the files alone, and so a restart changes nothing.
    met = ["of 41", "of 2", "of 38", "of 16"]
    again = [BASE + minute * MINUTE for minute in (50, 3, 40.9, 17)]
    assert names(job, again) == names(job_file(tmp_path / "anew", query), again) == met


def test_older_files_may_be_removed(names: Names, tmp_path: Path) -> None:
    for minute in range(0, 12, 2):
        write(dated(tmp_path, BASE + minute * MINUTE), f"of {minute}")
    job = job_file(tmp_path, joined(tmp_path, "{date}/{time}/r.json"))
    assert names(job, [BASE + 11 * MINUTE]) == ["of 10"]
    for minute in range(0, 8, 2):
        dated(tmp_path, BASE + minute * MINUTE).unlink()
    # The first one that is left stands for what was before it, and nothing fails.
    assert names(job, [BASE + 3 * MINUTE, BASE + 9 * MINUTE]) == ["of 8", "of 8"]


@pytest.mark.parametrize("path", ["{date}/{time}/r.json", "{date}/r.csv"])
def test_a_job_without_any_file_does_not_start(names: Names, tmp_path: Path, path: str) -> None:
    query = joined(tmp_path, path)
    with pytest.raises(Exception, match="the query cannot be run") as error:
        names(job_file(tmp_path, query), [BASE])
    refused = refusal(error.value, StreamQuery(compiled=query))
    assert isinstance(refused, QueryError)
    assert "The reference data ref have no file: there is nothing at" in str(refused)
