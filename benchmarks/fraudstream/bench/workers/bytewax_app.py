"""Bytewax: ``bytewax_app.py BOOTSTRAP IN OUT GROUP message|batch``; each process takes its share of the partitions."""

from __future__ import annotations

import os
import sys

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSinkMessage, KafkaSource
from bytewax.connectors.kafka import operators as kop
from bytewax.dataflow import Dataflow
from bytewax.testing import cluster_main
from model import Model


def main() -> None:
    """Run until SIGTERM."""
    bootstrap, source, target, _, kind = sys.argv[1:]
    batched = kind == "batch"
    model = Model()
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
        decided = model.decide([one.value for one in records])
        return [KafkaSinkMessage(one.key, value) for one, value in zip(records, decided, strict=True)]

    scored = (
        op.flat_map_batch("score", reading.oks, decide)
        if batched
        else op.map("score", reading.oks, lambda record: decide([record])[0])
    )
    kop.output(
        "out",
        scored,
        brokers=[bootstrap],
        topic=target,
        add_config={"linger.ms": "5" if batched else "0", "acks": "all"},
    )
    addresses = os.environ.get("BENCH_ADDRESSES", "").split()
    cluster_main(flow, addresses, int(os.environ.get("BENCH_PROCESS", "0")), worker_count_per_proc=1)


__all__ = ["KafkaSource", "main"]

if __name__ == "__main__":
    main()
