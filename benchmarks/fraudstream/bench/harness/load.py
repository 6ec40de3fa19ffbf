"""Events for the contenders, and the workers that send and read them."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from fraudstream.bench.harness.contenders import CONTENDERS, Cast
from fraudstream.bench.harness.made_events import put
from fraudstream.bench.harness.source import live
from fraudstream.core.contract.event import AMOUNT, RULES
from fraudstream.core.contract.field_rules import value_at
from fraudstream.core.errors import FraudstreamError

EVENTS = 20_000
SEED = 11
# One event in so many breaks the contract: its amount is text. All contenders but the bare loops reject it.
MALFORMED_EVERY = 100
SAMPLE = 2_000

_STARTED = b"ready\n"


def write_events(file: Path) -> Path:
    """The events that senders repeat, one a line."""
    numbered = zip(count(1), live(EVENTS, SEED), strict=False)
    lines = (_malformed(value) if number % MALFORMED_EVERY == 0 else value for number, value in numbered)
    file.write_bytes(b"\n".join(lines) + b"\n")
    return file


def _malformed(value: bytes) -> bytes:
    event, path = json.loads(value), RULES[AMOUNT].path
    put(event, path, str(value_at(event, path)))
    return json.dumps(event, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Readings:
    """A reader's results: ``latencies_us`` in the order of the events' numbers, ``stamps_ms`` in reading order."""

    different: int
    repeated: int
    rejected: int
    latencies_us: list[int]
    stamps_ms: list[int]
    decisions: dict[str, tuple[int, float]]


class Reader:
    """A reader of output topics, as a process. It reads when the constructor returns."""

    def __init__(self, cast: Cast, topics: tuple[str, ...], count: int, idle_seconds: float) -> None:
        words = (cast.stage.settings.kafka_bootstrap_servers, ",".join(topics), str(count), str(idle_seconds))
        part = cast.worker("bare", "reader.py", *words, str(SAMPLE))
        self._child = subprocess.Popen(
            part.command, env={**os.environ, **part.env}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        errors = self._child.stderr
        if errors is None or errors.readline() != _STARTED:
            raise FraudstreamError(f"The reader did not start: {self._child.communicate()[1].decode()[-500:]}")

    def result(self) -> Readings:
        """Wait until it has read all records, or until none has come for ``idle_seconds``."""
        output, errors = self._child.communicate()
        if self._child.returncode:
            raise FraudstreamError(f"The reader failed: {errors.decode('utf-8', 'replace')[-500:]}")
        return Readings(**json.loads(output))

    def kill(self) -> None:
        """Kill the process, unless it has ended."""
        self._child.kill()
        self._child.wait()


def send(cast: Cast, topic: str, events: Path, rate: float, count: int, first: int = 0) -> None:
    """Send ``count`` events at ``rate`` per second (0: as fast as the broker takes them), numbered from ``first``."""
    words = (cast.stage.settings.kafka_bootstrap_servers, topic, str(events), str(rate), str(count), str(first))
    part = cast.worker("bare", "sender.py", *words)
    completed = subprocess.run(part.command, env={**os.environ, **part.env}, capture_output=True, check=False)
    if completed.returncode:
        raise FraudstreamError(f"The sender failed: {completed.stderr.decode('utf-8', 'replace')[-500:]}")


def compared(ours: dict[str, tuple[int, float]], theirs: dict[str, tuple[int, float]]) -> dict[str, Any]:
    """How far two contenders' decisions on the same events agree."""
    both = ours.keys() & theirs.keys()
    differing = sum(ours[number][0] != theirs[number][0] for number in both)
    largest = max((abs(ours[number][1] - theirs[number][1]) for number in both), default=0.0)
    return {"compared": len(both), "different_decisions": differing, "largest_score_difference": largest}


def compare_rejected(runs: list[dict[str, Any]]) -> None:
    """Contenders that check events reject the same number of as many; another number fails the benchmark."""
    counts: dict[int, dict[int, str]] = {}
    for run in runs:
        if CONTENDERS[run["contender"]].kind != "bare":
            counts.setdefault(run["events_out"], {})[run["rejected"]] = run["contender"]
    for events, numbers in counts.items():
        if len(numbers) > 1:
            text = ", ".join(f"{name} {number:,}" for number, name in sorted(numbers.items()))
            raise FraudstreamError(f"Of the same {events:,} events different numbers were rejected: {text}.")


def compare_decisions(decisions: dict[str, dict[str, tuple[int, float]]], runs: list[dict[str, Any]]) -> None:
    """Note in each run how its decisions agree with the first contender's; another decision fails the benchmark."""
    if not decisions:
        return
    standard = next(iter(decisions))
    for run in runs:
        if run["contender"] not in decisions:
            continue
        run["decisions"] = compared(decisions[standard], decisions[run["contender"]])
        if run["decisions"]["different_decisions"]:
            raise FraudstreamError(
                f"{run['contender']} and {standard} decide {run['decisions']['different_decisions']} of {SAMPLE} "
                "events differently: they do not score with the same model."
            )
