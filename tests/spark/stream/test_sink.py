"""What the job's writer is really given: the options that the linter looks at, whatever else says so."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql.streaming.readwriter import DataStreamWriter

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.kafka.clients import spark_sink_options
from fraudstream.stream import job

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.timeless]


@pytest.mark.parametrize("largest", [1_000_000, 300_000])
def test_the_query_is_started_with_the_sinks_options(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, largest: int
) -> None:
    """Each option as Spark has it when the query starts, the last of two settings of one name."""
    in_force: dict[str, str] = {}
    set_option = DataStreamWriter.option

    def option(self: DataStreamWriter, key: str, value: Any) -> DataStreamWriter:
        in_force[key] = str(value)
        return set_option(self, key, value)

    def options(self: DataStreamWriter, **given: Any) -> DataStreamWriter:
        for key, value in given.items():
            option(self, key, value)
        return self

    def records(*_: Any, **__: Any) -> DataFrame:
        rows = spark.readStream.format("rate").load()
        return rows.selectExpr("'scored' AS topic", "'1' AS key", "CAST('{}' AS BINARY) AS value")

    monkeypatch.setattr(DataStreamWriter, "option", option)
    monkeypatch.setattr(DataStreamWriter, "options", options)
    monkeypatch.setattr(DataStreamWriter, "start", lambda _writer: None)
    # What the query reads, and from where, is another test's business.
    monkeypatch.setattr(job, "decided", records)
    monkeypatch.setattr(job, "read_on", records)
    monkeypatch.setattr(job, "fitting", lambda *_: (SimpleNamespace(folder=tmp_path), {}))
    settings = Settings(data_dir=tmp_path, kafka_max_request_bytes=largest)
    job.start(spark, settings)
    assert {name: value for name, value in in_force.items() if name.startswith("kafka.")} == spark_sink_options(
        settings
    )
    assert in_force["kafka.max.request.size"] == str(largest)
