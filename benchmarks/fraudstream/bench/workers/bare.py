"""A bare librdkafka loop: ``bare.py BOOTSTRAP IN OUT GROUP echo|score BATCH``; BATCH 1 sends each record at once.

With larger batches it gives what the stream job gives, at least once: offsets are committed after all that was made of
them is acknowledged, once a second.
"""

from __future__ import annotations

import signal
import sys
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from model import Model

COMMIT_SECONDS = 1.0


def main() -> None:
    """Run until SIGTERM."""
    bootstrap, source, target, group, work, size = sys.argv[1:]
    batch = int(size)
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(1))
    reader = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "queued.min.messages": 100_000,
        }
    )
    writer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "acks": "all",
            "linger.ms": 5 if batch > 1 else 0,
            "batch.num.messages": 10_000,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    reader.subscribe([source])
    model = Model() if work == "score" else None
    commit_at = time.monotonic() + COMMIT_SECONDS
    while not stopping:
        if batch == 1:
            record = reader.poll(0.2)
            records = [] if record is None or record.error() else [record]
        else:
            records = [one for one in reader.consume(batch, 0.05) if not one.error()]
        if records:
            values = [one.value() for one in records]
            decided = model.decide(values) if model else values
            for one, value in zip(records, decided, strict=True):
                writer.produce(target, value, one.key())
            writer.poll(0)
        if time.monotonic() >= commit_at:
            writer.flush()
            commit(reader)
            commit_at = time.monotonic() + COMMIT_SECONDS
    writer.flush()
    reader.close()


def commit(reader: Consumer) -> None:
    """Commit what was read, if anything was."""
    try:
        reader.commit(asynchronous=False)
    except KafkaException as error:
        if error.args[0].code() != KafkaError._NO_OFFSET:
            raise


if __name__ == "__main__":
    main()
