"""Parquet files as JSON lines, which the query's reader takes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fraudstream.spark.session import file_pattern, file_uri

if TYPE_CHECKING:
    from fraudstream.asaql.running.session import QuerySession

# All digits that Parquet has.
_MOMENT = "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX"


def as_json_lines(session: QuerySession, files: Sequence[Path]) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """The files' rows in files of JSON lines, in their order, and the columns that are moments."""
    from pyspark.sql import functions as F
    from pyspark.sql.types import DateType, TimestampNTZType, TimestampType

    options = {"ignoreNullFields": "false", "timestampFormat": _MOMENT, "timestampNTZFormat": _MOMENT[:-3]}
    lines: list[Path] = []
    moments: dict[str, None] = {}
    for file in files:
        rows = session.sql().read.parquet(file_pattern(file))
        kinds = (DateType, TimestampNTZType, TimestampType)
        moments |= dict.fromkeys(column.name for column in rows.schema if isinstance(column.dataType, kinds))
        folder = session.new_folder("parquet") / "lines"
        rows.select(F.to_json(F.struct("*"), options)).write.text(file_uri(folder))
        lines += sorted(folder.glob("part-*"))
    return tuple(lines), tuple(moments)
