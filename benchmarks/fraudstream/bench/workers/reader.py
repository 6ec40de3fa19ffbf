"""Reads records one by one: ``reader.py BOOTSTRAP TOPICS COUNT IDLE_SECONDS SAMPLE``; prints one JSON object.

The latency of a record is the time of its reading minus the time at which its event was due. The field ``bench``
numbers the events; numbers from COUNT on do not count. The output has the decisions of the first SAMPLE events, and for
every event the broker's stamp (ms) of its first record, in the order of reading.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import time

from confluent_kafka import Consumer, TopicPartition

BENCH = re.compile(rb'"bench":(\d+),"due_us":(\d+)')


def main() -> None:
    """Read until COUNT different events have come, or nothing for IDLE_SECONDS."""
    bootstrap, topics, count_text, idle_text, sample_text = sys.argv[1:]
    count, idle, sample = int(count_text), float(idle_text), int(sample_text)
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": f"reader-{time.time_ns()}"})
    places = [
        TopicPartition(topic, number, 0)
        for topic in topics.split(",")
        for number in sorted(reader.list_topics(topic, timeout=30).topics[topic].partitions)
    ]
    reader.assign(places)
    numbers: set[int] = set()
    latencies: list[tuple[int, int]] = []
    stamps: list[int] = []
    decisions: dict[int, tuple[int, float]] = {}
    repeated = rejected = 0
    last = time.monotonic()
    sys.stderr.write("ready\n")
    sys.stderr.flush()
    while len(numbers) < count and time.monotonic() - last < idle:
        record = reader.poll(0.2)
        if record is None or record.error():
            continue
        now = time.time()
        last = time.monotonic()
        value = record.value()
        is_rejected = b'"raw_base64"' in value
        match = BENCH.search(base64.b64decode(json.loads(value)["raw_base64"]) if is_rejected else value)
        if match is None or (number := int(match[1])) >= count:
            continue
        if number in numbers:
            repeated += 1
            continue
        numbers.add(number)
        rejected += is_rejected
        stamps.append(record.timestamp()[1])
        latencies.append((number, int(now * 1e6) - int(match[2])))
        if number < sample and b'"prediction"' in value:
            decided = json.loads(value)
            decisions[number] = (decided["prediction"], decided["score"])
    reader.close()
    json.dump(
        {
            "different": len(numbers),
            "repeated": repeated,
            "rejected": rejected,
            "latencies_us": [latency for _, latency in sorted(latencies)],
            "stamps_ms": stamps,
            "decisions": decisions,
        },
        sys.stdout,
    )


if __name__ == "__main__":
    main()
