"""Where the stream job's time goes: samples of Java's own profiler, as shares of what is done for a record."""

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
# The innermost frame that begins like one of these says what a sample was about.
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
    """One of the JDK's tools. Raises :class:`FraudstreamError` where the Java is a mere runtime."""
    beside = find_java().home / "bin" / (f"{name}.exe" if os.name == "nt" else name)
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        raise FraudstreamError(
            f"A profile needs the JDK's {name}, which is neither in {beside.parent} nor on the PATH. "
            "Set JAVA_HOME to a complete JDK."
        )
    return found


def dump(leader: int, recording: Path) -> None:
    """Write what has been recorded so far by the Java process that ``leader`` started."""
    java = next(one for one in psutil.Process(leader).children(recursive=True) if one.name().startswith("java"))
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
    """The same from what ``jfr print`` says."""
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
