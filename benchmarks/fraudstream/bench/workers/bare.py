"""A bare librdkafka loop: ``bare.py BOOTSTRAP IN OUT GROUP echo|score BATCH``; BATCH 1 sends each record at once.

With larger batches it has the stream job's guarantee, at least once: once a second, when all records that it produced
are acknowledged, it commits the offsets that it has read.
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
            records = [record for record in reader.consume(batch, 0.05) if not record.error()]
        if records:
            values = [record.value() for record in records]
            decisions = model.decide(values) if model else values
            for record, decision in zip(records, decisions, strict=True):
                writer.produce(target, decision, record.key())
            writer.poll(0)
        if time.monotonic() >= commit_at:
            writer.flush()
            commit(reader)
            commit_at = time.monotonic() + COMMIT_SECONDS
    writer.flush()
    reader.close()


def commit(reader: Consumer) -> None:
    """Commit the offsets that were read, if there are any."""
    try:
        reader.commit(asynchronous=False)
    except KafkaException as error:
        if error.args[0].code() != KafkaError._NO_OFFSET:
            raise


if __name__ == "__main__":
    main()
