"""Quix Streams: ``quix_app.py BOOTSTRAP IN SCORED REJECTED GROUP message|default|batch``.

``message`` sends each record at once; ``default`` leaves Quix's own settings, whose producer gathers records for 5 ms.
"""

from __future__ import annotations

import sys
from typing import Any

from quixstreams import Application, message_context
from quixstreams.models.serializers import Serializer
from quixstreams.sinks import BatchingSink
from work import Made, Received, Work


class ValueOf(Serializer):  # type: ignore[misc]
    """Sends an output record's value as it is."""

    def __call__(self, value: Made, ctx: Any) -> bytes:  # noqa: ARG002 - Quix's signature
        sent: bytes = value.value
        return sent


class ScoringSink(BatchingSink):  # type: ignore[misc]
    """Works on the records that Quix has gathered up to a checkpoint, a thousand at a time."""

    def __init__(self, app: Application, scored: str, rejected: str) -> None:
        super().__init__()
        self._work = Work()
        self._scored = scored
        self._rejected = rejected
        self._producer = app.get_producer()

    def write(self, batch) -> None:  # type: ignore[no-untyped-def]
        records = [
            Received(record.value, record.key, batch.topic, batch.partition, record.offset, record.timestamp)
            for record in batch
        ]
        for start in range(0, len(records), 1_000):
            for result in self._work(records[start : start + 1_000]):
                self._producer.produce(self._rejected if result.rejected else self._scored, result.value, result.key)
        self._producer.flush()


def main() -> None:
    """Run until SIGTERM."""
    bootstrap, source, scored, rejected, group, kind = sys.argv[1:]
    batched = kind == "batch"
    tuned: dict[str, Any] = {
        "commit_every": 10_000 if batched else 0,
        "commit_interval": 1.0,
        "producer_extra_config": {"linger.ms": 5 if batched else 0, "acks": "all"},
        "consumer_extra_config": {"queued.min.messages": 100_000},
    }
    app = Application(
        broker_address=bootstrap,
        consumer_group=group,
        auto_offset_reset="earliest",
        loglevel="ERROR",
        **({} if kind == "default" else tuned),
    )
    incoming = app.topic(source, value_deserializer="bytes", key_deserializer="bytes")
    frame = app.dataframe(incoming)
    if batched:
        frame.sink(ScoringSink(app, scored, rejected))
    else:
        work = Work()
        good = app.topic(scored, value_serializer=ValueOf(), key_serializer="bytes")
        bad = app.topic(rejected, value_serializer=ValueOf(), key_serializer="bytes")

        def decide(value: bytes, key: Any, timestamp: int, headers: Any) -> Made:  # noqa: ARG001 - Quix's signature
            place = message_context()
            return work([Received(value, key, place.topic, place.partition, place.offset, timestamp)])[0]

        frame.apply(decide, metadata=True).to_topic(
            lambda result, *_: bad if result.rejected else good, key=lambda result: result.key
        )
    app.run()


if __name__ == "__main__":
    main()
