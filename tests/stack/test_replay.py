"""A replay against a broker: killed at any moment, it goes on, and each row and label arrives."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import LABELS, TRANSACTIONS
from fraudstream.core.kafka.clients import consumer, create_topics, topic_partitions
from fraudstream.generator.simulators.payments.transactions import generate
from fraudstream.runtime.parts.local import settings_environment
from tests.stack.conftest import Running

pytestmark = pytest.mark.stack

ROWS, FIRST = 3_000, 7_000_000


def values(settings: Settings, topic: str) -> list[bytes]:
    reader = consumer(settings)
    parts = topic_partitions(reader, [topic])
    reader.assign(parts)
    ends, contents = reader.end_offsets(parts), []
    while any(reader.position(part) < end for part, end in ends.items()):
        contents += [record.value for records in reader.poll(timeout_ms=1_000).values() for record in records]
    reader.close()
    return contents


def test_a_killed_replay_goes_on_and_each_row_and_label_arrives(
    broker: Running, settings: Settings, tmp_path: Path
) -> None:
    create_topics(settings)
    dates = (f"{1 + minute // 1440:02d}/03/2026 {minute // 60 % 24:02d}:{minute % 60:02d}:00" for minute in range(ROWS))
    file = tmp_path / "payments.jsonl"
    file.write_bytes(b"\n".join(generate(ROWS, FIRST, 7, labelled=True, dates=dates)))
    command = [sys.executable, "-m", "fraudstream.generator", "replay", "--from", str(file), "--label-delay", "3"]
    environment = os.environ | settings_environment(settings)
    with subprocess.Popen([*command, "--rate", "500"], env=environment) as killed:
        until = time.monotonic() + 60
        while len(values(settings, TRANSACTIONS)) < 300:
            assert killed.poll() is None
            assert time.monotonic() < until
            time.sleep(0.1)
        killed.kill()
    done = subprocess.run([*command, "--speed", "0", "--json"], env=environment, capture_output=True, check=True)
    report = json.loads(done.stdout)
    assert report["left"] == report["labels_held_back"] == 0
    assert 0 < report["produced"] < ROWS // 2
    live = set(range(FIRST + ROWS // 2, FIRST + ROWS))
    assert {json.loads(value)["id"] for value in values(settings, TRANSACTIONS)} == live
    verdicts = [json.loads(value) for value in values(settings, LABELS)]
    assert {verdict["id"] for verdict in verdicts} == live
    assert set(verdicts[0]) == {"id", "label", "observed_at"}
