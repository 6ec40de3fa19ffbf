"""Faust: ``faust_app.py BOOTSTRAP IN SCORED REJECTED GROUP message|batch``."""

from __future__ import annotations

import sys
import tempfile
from typing import Any

import faust
from work import Received, Work


def received(event: Any) -> Received:
    """An event's record."""
    message = event.message
    return Received(
        event.value, event.key, message.topic, message.partition, message.offset, int(message.timestamp * 1000)
    )


def main() -> None:
    """Run until SIGTERM."""
    bootstrap, source, scored, rejected, group, kind = sys.argv[1:]
    batched = kind == "batch"
    work = Work()
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
    incoming, good, bad = (
        app.topic(name, value_serializer="raw", key_serializer="raw") for name in (source, scored, rejected)
    )

    async def decide(events: list) -> None:  # type: ignore[type-arg]
        for result in work([received(event) for event in events]):
            await (bad if result.rejected else good).send(key=result.key, value=result.value)

    async def decide_each(stream) -> None:  # type: ignore[no-untyped-def]
        async for event in stream.events():
            await decide([event])

    async def decide_many(stream) -> None:  # type: ignore[no-untyped-def]
        async for events in stream.take_events(1_000, within=0.1):
            await decide(list(events))

    app.agent(incoming)(decide_many if batched else decide_each)
    sys.argv = [sys.argv[0], "worker", "-l", "error", "--without-web"]
    app.main()


if __name__ == "__main__":
    main()
