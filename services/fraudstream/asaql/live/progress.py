"""What a live query tells while it runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from kafka import TopicPartition

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICKS_PER_MICROSECOND = 10
_NEVER = -(2**63)


@dataclass(frozen=True, slots=True)
class LiveInputCount:
    """Records of an input since the start: read, with a time that the policy changed, and dropped by Azure's errors."""

    name: str
    records: int
    adjusted: int
    dropped: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LiveRow:
    """A row that is shown, as JSON."""

    output: str
    text: str


@dataclass(frozen=True, slots=True)
class LiveDropped:
    """A record that was dropped, and its place."""

    input: str
    topic: str
    partition: int
    offset: int
    kind: str
    message: str
    record: str


@dataclass(frozen=True, slots=True)
class LiveStop:
    """The expression that ended the query, and the record. Lines and columns count from 1."""

    message: str
    line: int
    column: int
    record: str | None


@dataclass(frozen=True, slots=True)
class LiveProgress:
    """Counts since the start, and the rows and dropped records since the last call.

    ``watermark`` is timezone-aware UTC: results up to then have left. ``state_bytes``: of the state's files. ``held``:
    of each partition with records that wait for the watermark the offset of the first one.
    """

    inputs: Sequence[LiveInputCount]
    outputs: Mapping[str, int]
    batches: int
    set_aside: int
    rows: Sequence[LiveRow]
    dropped_records: Sequence[LiveDropped]
    stop: LiveStop | None
    watermark: datetime | None
    state_bytes: int
    state_files: int
    held: Mapping[TopicPartition, int]

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> LiveProgress:
        """What the Java class ``Progress`` wrote."""
        stop = told.get("stop")
        ticks = told.get("watermark", _NEVER)
        return cls(
            inputs=[
                LiveInputCount(one["name"], one["records"], one["adjusted"], one["dropped"]) for one in told["inputs"]
            ],
            outputs={one["name"]: one["rows"] for one in told["outputs"]},
            batches=told["batches"],
            set_aside=told["set_aside"],
            rows=[LiveRow(one["output"], one["row"]) for one in told["rows"]],
            dropped_records=[
                LiveDropped(
                    one["input"],
                    one["topic"],
                    one["partition"],
                    one["offset"],
                    one["kind"],
                    one["message"],
                    one["record"],
                )
                for one in told["dropped_records"]
            ],
            stop=None if stop is None else LiveStop(stop["message"], stop["line"], stop["column"], stop["record"]),
            watermark=None if ticks == _NEVER else _moment(ticks),
            state_bytes=told.get("state_bytes", 0),
            state_files=told.get("state_files", 0),
            held={TopicPartition(one["topic"], one["partition"]): one["offset"] for one in told["held"]},
        )

    @property
    def records(self) -> int:
        """Records read of all inputs."""
        return sum(source.records for source in self.inputs)


def _moment(ticks: int) -> datetime | None:
    try:
        return _EPOCH + timedelta(microseconds=ticks // _TICKS_PER_MICROSECOND)
    except OverflowError:
        # Without a limit for late events, the watermark may lie before all times.
        return None
