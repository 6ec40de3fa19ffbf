"""`fraudstream query run --live` against a broker: killed, started again, and ended by Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
from kafka import KafkaConsumer
from kafka.admin import KafkaAdminClient

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.kafka.clients import client_options, consumer, producer, topic_partitions
from fraudstream.runtime.parts.local import settings_environment
from tests.stack.conftest import Running, await_condition

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

CLICKS, COUNTS = "live-clicks", "live-counts"
WINDOW_SECONDS = 2
QUERY = """
WITH counted AS (
    SELECT k, COUNT(*) AS n, System.Timestamp() AS till FROM clicks TIMESTAMP BY at
    GROUP BY k, TumblingWindow(second, 2)
)
SELECT k, n, till INTO counts FROM counted
SELECT n INTO tenth FROM clicks TIMESTAMP BY at WHERE n % 10 = 0
"""
PROJECT = {
    "asaproj.json": {"name": "clicks", "startFile": "clicks.asaql"},
    "JobConfig.json": {"EventsLateArrivalMaxDelayInSeconds": 8, "EventsOutOfOrderPolicy": "Adjust"},
    "Inputs/clicks.json": {
        "Name": "clicks",
        "Type": "Data Stream",
        "DataSourceType": "Event Hub",
        "EventHubProperties": {"EventHubName": CLICKS},
        "ScriptType": "Input",
    },
    "Outputs/counts.json": {
        "Name": "counts",
        "DataSourceType": "Event Hub",
        "EventHubProperties": {"EventHubName": COUNTS, "PartitionKey": "k"},
        "ScriptType": "Output",
    },
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, content in PROJECT.items():
        file = tmp_path / "project" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content))
    (tmp_path / "project" / "clicks.asaql").write_text(QUERY)
    return tmp_path / "project"


class Command:
    """The command as a process of its own, with all that it starts."""

    def __init__(self, settings: Settings, project: Path, log: Path) -> None:
        words = [sys.executable, "-m", "fraudstream.runtime", "query", "run", str(project), "--live", "--json"]
        self.log = log
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                [*words, "--from", "earliest"],
                env=os.environ | settings_environment(settings),
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def end(self) -> bytes:
        self.process.send_signal(signal.SIGINT)
        return self.process.communicate(timeout=60)[0]


def send(settings: Settings, first: int, count: int, sent: Counter[tuple[int, str]]) -> None:
    sender = producer(settings)
    for number in range(first, first + count):
        at = datetime.now(UTC)
        value = {"k": number % 4, "n": number, "at": at.isoformat()}
        sender.send(CLICKS, key=str(number % 4).encode(), value=json.dumps(value).encode())
        micros = int(at.timestamp() * 1_000_000)
        end = -(-micros // (WINDOW_SECONDS * 1_000_000)) * WINDOW_SECONDS
        sent[number % 4, f"{datetime.fromtimestamp(end, UTC):%Y-%m-%dT%H:%M:%S}.0000000Z"] += 1
        time.sleep(0.005)
    sender.close()


def received(reader: KafkaConsumer) -> list[tuple[bytes, bytes]]:
    parts = topic_partitions(reader, [COUNTS])
    reader.assign(parts)
    reader.seek_to_beginning(*parts)
    ends = reader.end_offsets(parts)
    rows: list[tuple[bytes, bytes]] = []
    while any(reader.position(part) < end for part, end in ends.items()):
        rows += [(each.key, each.value) for records in reader.poll(1_000).values() for each in records]
    return rows


def test_a_killed_run_goes_on_and_gives_the_same_bytes_again(
    broker: Running, settings: Settings, project: Path, tmp_path: Path
) -> None:
    admin = KafkaAdminClient(**client_options(settings))
    admin.create_topics({name: {"num_partitions": 2, "replication_factor": 1} for name in (CLICKS, COUNTS)})
    admin.close()
    reader = consumer(settings)
    sent: Counter[tuple[int, str]] = Counter()
    first = Command(settings, project, tmp_path / "first.log")
    await_condition(lambda: b"checkpoint" in first.log.read_bytes(), 120, first.log)
    send(settings, 0, 1_000, sent)
    await_condition(lambda: len(received(reader)) > 0, 120, first.log)
    send(settings, 1_000, 300, sent)
    first.kill()
    second = Command(settings, project, tmp_path / "second.log")
    await_condition(lambda: b"goes on where it stood" in second.log.read_bytes(), 120, second.log)
    send(settings, 1_300, 500, sent)

    def counts() -> dict[tuple[int, str], set[bytes]]:
        by_window: dict[tuple[int, str], set[bytes]] = {}
        for key, value in received(reader):
            row = json.loads(value)
            assert key == str(row["k"]).encode()
            by_window.setdefault((row["k"], row["till"]), set()).add(value)
        return by_window

    await_condition(lambda: set(counts()) == set(sent), 120, second.log)
    answer = second.end()
    assert second.process.returncode == 0, second.log.read_text()
    rows = counts()
    assert all(len(texts) == 1 for texts in rows.values())
    assert Counter({window: json.loads(next(iter(texts)))["n"] for window, texts in rows.items()}) == sent
    report = json.loads(answer)
    assert [(source["name"], source["topic"]) for source in report["inputs"]] == [("clicks", CLICKS)]
    assert [(output["name"], output["topic"]) for output in report["outputs"]] == [("counts", COUNTS), ("tenth", None)]
    assert {row["n"] for row in report["outputs"][1]["first_rows"]} <= set(range(0, 1_800, 10))
    assert report["outputs"][1]["rows"] >= 50
    reader.close()
