"""Open-loop load: ``sender.py BOOTSTRAP TOPIC EVENTS RATE COUNT FIRST``; RATE 0 sends as fast as the broker takes.

EVENTS is a file of JSON lines, which are sent in turn, numbered from FIRST. Each event has the microsecond at which it
was due, not at which it was sent: the figures have to include the wait in a sender that falls behind.
"""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path

# The first event is due so much later that the connection stands by then.
LEAD_SECONDS = 0.5


def due(start: float, rate: float, number: int) -> float:
    """When the event of this number (from 0) is due on a constant schedule, in seconds since the epoch."""
    return start + number / rate


def stamped(line: bytes, number: int, due_at: float) -> bytes:
    """The event with its number and the microsecond at which it was due."""
    return b'%s,"bench":%d,"due_us":%d}' % (line[:-1], number, int(due_at * 1e6))


def main() -> None:
    """Send and wait for every acknowledgement."""
    from confluent_kafka import Producer

    bootstrap, topic, events, rate_text, count_text, first_text = sys.argv[1:]
    rate, count, first = float(rate_text), int(count_text), int(first_text)
    lines = Path(events).read_bytes().splitlines()
    fast = rate == 0
    writer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "acks": "all",
            "linger.ms": 20 if fast else 0,
            "batch.num.messages": 10_000,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    writer.list_topics(topic, timeout=30)
    start = time.time() + LEAD_SECONDS
    for number, line in enumerate(itertools.islice(itertools.cycle(lines), count)):
        due_at = time.time()
        if not fast:
            due_at = due(start, rate, number)
            while (remaining := due_at - time.time()) > 0:
                writer.poll(0)
                time.sleep(min(remaining, 0.001))
        value = stamped(line, first + number, due_at)
        while True:
            try:
                writer.produce(topic, value, str(first + number))
                break
            except BufferError:
                writer.poll(0.1)
        if number % 1_000 == 0:
            writer.poll(0)
    if writer.flush(120):
        sys.exit("some records were not acknowledged")


if __name__ == "__main__":
    main()
