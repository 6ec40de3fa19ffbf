"""Bytewax: ``bytewax_app.py BOOTSTRAP IN SCORED REJECTED GROUP message|batch``; processes share the partitions."""

from __future__ import annotations

import os
import sys

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSinkMessage
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow
from bytewax.testing import cluster_main
from work import Received, Work


def main() -> None:
    """Run until SIGTERM."""
    bootstrap, source, scored, rejected, _, kind = sys.argv[1:]
    batched = kind == "batch"
    work = Work()
    flow = Dataflow("bench")
    reading = kop.input(
        "in",
        flow,
        brokers=[bootstrap],
        topics=[source],
        batch_size=1_000 if batched else 1,
        add_config={"queued.min.messages": "100000"},
    )

    def decide(records: list) -> list:  # type: ignore[type-arg]
        received = [
            Received(record.value, record.key, record.topic, record.partition, record.offset, record.timestamp[1])
            for record in records
        ]
        return [
            KafkaSinkMessage(result.key, result.value, rejected if result.rejected else scored)
            for result in work(received)
        ]

    decided = (
        op.flat_map_batch("score", reading.oks, decide)
        if batched
        else op.map("score", reading.oks, lambda record: decide([record])[0])
    )
    kop.output(
        "out",
        decided,
        brokers=[bootstrap],
        topic=scored,
        add_config={"linger.ms": "5" if batched else "0", "acks": "all"},
    )
    addresses = os.environ.get("BENCH_ADDRESSES", "").split()
    cluster_main(flow, addresses, int(os.environ.get("BENCH_PROCESS", "0")), worker_count_per_proc=1)


if __name__ == "__main__":
    main()
