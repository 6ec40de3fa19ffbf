"""Faust: ``faust_app.py BOOTSTRAP IN OUT GROUP message|batch``."""

from __future__ import annotations

import sys
import tempfile

import faust
from model import Model


def main() -> None:
    """Run until SIGTERM."""
    bootstrap, source, target, group, kind = sys.argv[1:]
    batched = kind == "batch"
    model = Model()
    app = faust.App(
        group,
        broker=f"kafka://{bootstrap}",
        datadir=tempfile.mkdtemp(prefix="bench-faust-"),
        consumer_auto_offset_reset="earliest",
        producer_linger=5 if batched else 0,
        producer_acks=-1,
        topic_disable_leader=True,
        web_enabled=False,
        value_serializer="raw",
        key_serializer="raw",
    )
    incoming = app.topic(source, value_serializer="raw", key_serializer="raw")
    outgoing = app.topic(target, value_serializer="raw", key_serializer="raw")

    async def decide_each(stream) -> None:  # type: ignore[no-untyped-def]
        async for key, value in stream.items():
            await outgoing.send(key=key, value=model.decide([value])[0])

    async def decide_many(stream) -> None:  # type: ignore[no-untyped-def]
        async for values in stream.take(1_000, within=0.1):
            for value in model.decide(list(values)):
                await outgoing.send(value=value)

    app.agent(incoming)(decide_many if batched else decide_each)
    sys.argv = [sys.argv[0], "worker", "-l", "error", "--without-web"]
    app.main()


if __name__ == "__main__":
    main()
