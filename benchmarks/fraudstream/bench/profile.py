"""Shares of the stream job's time by step, from the samples of Java's own profiler."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

from fraudstream.core.errors import FraudstreamError
from fraudstream.runtime.parts.java import find_java

HOTTEST = 25

_EVENT = "jdk.ExecutionSample"
_FRAME = re.compile(r"^\s+(\S+?)\(.*line:", re.MULTILINE)
_STACK = re.compile(r"stackTrace = \[(.*?)^\s*\]", re.DOTALL | re.MULTILINE)
# The innermost frame with one of these beginnings gives the step of a sample.
_STEPS: Sequence[tuple[str, tuple[str, ...]]] = (
    (
        "read and check the event",
        ("fraudstream.contract.EventReader", "fraudstream.contract.PlainReader", "fraudstream.contract.Event"),
    ),
    ("evaluate the trees", ("fraudstream.model.Ensemble", "fraudstream.model.Stumps", "fraudstream.model.Champion")),
    ("reasons of alerts", ("fraudstream.model.TreeShap",)),
    ("write the record", ("fraudstream.spark.Records", "fraudstream.spark.DecideRecord")),
    ("fetch from Kafka", ("org.apache.kafka.clients.consumer", "org.apache.spark.sql.kafka010.consumer")),
    ("send to Kafka", ("org.apache.kafka.clients.producer", "org.apache.spark.sql.kafka010.KafkaRowWriter")),
    ("Kafka's network and records", ("org.apache.kafka",)),
    ("Spark: rows in and out of functions", ("org.apache.spark.sql.catalyst", "org.apache.spark.unsafe")),
    ("Spark: anything else", ("org.apache.spark",)),
)
_OTHER = "anything else"


JAVA_OPTION = "-XX:StartFlightRecording=name=bench,settings=profile"


def tool(name: str = "jfr") -> str:
    """The path of a JDK's tool. Raises :class:`FraudstreamError` where Java is a runtime only."""
    beside = find_java().home / "bin" / (f"{name}.exe" if os.name == "nt" else name)
    executable = str(beside) if beside.is_file() else shutil.which(name)
    if executable is None:
        raise FraudstreamError(
            f"A profile needs the JDK's {name}, which is neither in {beside.parent} nor on the PATH. "
            "Set JAVA_HOME to a complete JDK."
        )
    return executable


def dump(leader: int, recording: Path) -> None:
    """Write the recording so far of the Java process that ``leader`` started."""
    java = next(child for child in psutil.Process(leader).children(recursive=True) if child.name().startswith("java"))
    command = [tool("jcmd"), str(java.pid), "JFR.dump", "name=bench", f"filename={recording}"]
    subprocess.run(command, capture_output=True, check=True)


def read(recording: Path) -> dict[str, Any]:
    """Shares of the samples by step, and the hottest methods by their own time. Raises :class:`FraudstreamError`."""
    if not recording.is_file():
        raise FraudstreamError(f"The stream job left no recording at {recording}.")
    printed = subprocess.run(
        [tool(), "print", "--stack-depth", "64", "--events", _EVENT, str(recording)],
        capture_output=True,
        text=True,
        check=False,
    )
    if printed.returncode:
        raise FraudstreamError(f"jfr cannot read {recording}: {printed.stderr.strip()[-300:]}")
    return shares(printed.stdout)


def shares(text: str) -> dict[str, Any]:
    """The same from the output of ``jfr print``."""
    steps: Counter[str] = Counter()
    methods: Counter[str] = Counter()
    for frames in stacks(text):
        steps[_step(frames)] += 1
        methods[frames[0]] += 1
    total = sum(steps.values())
    return {
        "samples": total,
        "steps": {name: count / total for name, count in steps.most_common()},
        "hottest": {name: count / total for name, count in methods.most_common(HOTTEST)},
    }


def stacks(text: str) -> Iterator[list[str]]:
    """Each sample's methods, the innermost first."""
    for event in text.split(f"{_EVENT} {{")[1:]:
        stack = _STACK.search(event)
        frames = _FRAME.findall(stack[1]) if stack else []
        if frames:
            yield frames


def _step(frames: Sequence[str]) -> str:
    for frame in frames:
        for name, beginnings in _STEPS:
            if frame.startswith(beginnings):
                return name
    return _OTHER
