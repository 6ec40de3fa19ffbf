"""Quix Streams: ``quix_app.py BOOTSTRAP IN OUT GROUP message|batch``."""

from __future__ import annotations

import sys

from model import Model
from quixstreams import Application
from quixstreams.sinks import BatchingSink


class ScoringSink(BatchingSink):  # type: ignore[misc]
    """Scores what Quix has gathered up to a checkpoint, in one call a thousand records."""

    def __init__(self, app: Application, target: str) -> None:
        super().__init__()
        self._model = Model()
        self._target = target
        self._producer = app.get_producer()

    def write(self, batch) -> None:  # type: ignore[no-untyped-def]
        records = list(batch)
        for start in range(0, len(records), 1_000):
            chunk = records[start : start + 1_000]
            for record, value in zip(chunk, self._model.decide([one.value for one in chunk]), strict=True):
                self._producer.produce(self._target, value, record.key)
        self._producer.flush()


def main() -> None:
    """Run until SIGTERM."""
    bootstrap, source, target, group, kind = sys.argv[1:]
    batched = kind == "batch"
    app = Application(
        broker_address=bootstrap,
        consumer_group=group,
        auto_offset_reset="earliest",
        commit_every=10_000 if batched else 0,
        commit_interval=1.0,
        producer_extra_config={"linger.ms": 5 if batched else 0, "acks": "all"},
        consumer_extra_config={"queued.min.messages": 100_000},
        loglevel="ERROR",
    )
    incoming = app.topic(source, value_deserializer="bytes", key_deserializer="bytes")
    frame = app.dataframe(incoming)
    if batched:
        frame.sink(ScoringSink(app, target))
    else:
        model = Model()
        outgoing = app.topic(target, value_serializer="bytes", key_serializer="bytes")
        frame.apply(lambda value: model.decide([value])[0]).to_topic(outgoing)
    app.run()


if __name__ == "__main__":
    main()
