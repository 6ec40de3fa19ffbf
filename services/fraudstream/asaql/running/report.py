"""What a run tells: rows and files of the outputs, dropped records, and the error that ended it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from fraudstream.asaql.errors import QueryStopped


@dataclass(frozen=True, slots=True)
class Dropped:
    """A record that was not read; ``line`` counts from 1. ``kind`` is Azure's name of the error."""

    input: str
    file: str
    line: int
    kind: str
    message: str
    record: str


@dataclass(frozen=True, slots=True)
class InputReport:
    """An input: the records that were found, and how many of them were dropped by the kind of error."""

    name: str
    records: int
    dropped: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class OutputReport:
    """An output: its rows, and the file of JSON lines in which they are, by time and then by content."""

    name: str
    rows: int
    file: Path

    def lines(self) -> Iterator[bytes]:
        """The rows as JSON texts."""
        with self.file.open("rb") as lines:
            for line in lines:
                yield line.rstrip(b"\n")

    def first(self, count: int) -> list[Any]:
        """The first rows as JSON values."""
        return [orjson.loads(line) for line in islice(self.lines(), count)]

    def values(self) -> list[Any]:
        """All rows as JSON values."""
        return [orjson.loads(line) for line in self.lines()]


@dataclass(frozen=True, slots=True)
class RunReport:
    """A run that came to its end. ``told`` are some of the dropped records. Seconds are those of Spark's part."""

    inputs: Sequence[InputReport]
    outputs: Sequence[OutputReport]
    told: Sequence[Dropped]
    seconds: float

    def output(self, name: str) -> OutputReport | None:
        """The output of a name, in any case."""
        return next((output for output in self.outputs if output.name.casefold() == name.casefold()), None)

    def to_json(self) -> dict[str, Any]:
        """The report as one JSON object."""
        return {
            "inputs": [
                {"name": source.name, "records": source.records, "dropped": dict(source.dropped)}
                for source in self.inputs
            ],
            "outputs": [
                {"name": output.name, "rows": output.rows, "file": str(output.file)} for output in self.outputs
            ],
            "dropped_records": [
                {
                    "input": dropped.input,
                    "file": dropped.file,
                    "line": dropped.line,
                    "error": dropped.kind,
                    "message": dropped.message,
                    "record": dropped.record,
                }
                for dropped in self.told
            ],
            "run_seconds": round(self.seconds, 3),
        }


def read_report(report: Mapping[str, Any], query_file: str) -> RunReport:
    """The report of the Java side. Raises :class:`QueryStopped` where an expression ended the query."""
    if (stop := report.get("stop")) is not None:
        record = f" The record: {stop['record']}" if stop["record"] else ""
        raise QueryStopped(f"{stop['message']}{record}", stop["line"], stop["column"], query_file)
    return RunReport(
        inputs=[InputReport(source["name"], source["records"], source["dropped"]) for source in report["inputs"]],
        outputs=[OutputReport(output["name"], output["rows"], Path(output["file"])) for output in report["outputs"]],
        told=[
            Dropped(
                dropped["input"],
                dropped["file"],
                dropped["line"],
                dropped["kind"],
                dropped["message"],
                dropped["record"],
            )
            for dropped in report["told"]
        ],
        seconds=report["seconds"],
    )
