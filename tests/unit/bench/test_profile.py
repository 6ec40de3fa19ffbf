"""What a recording of Java's profiler becomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from fraudstream.bench import profile
from fraudstream.core.errors import FraudstreamError


def sample(*frames: str) -> str:
    lines = "".join(f"    {frame}(byte[], int) line: {number}\n" for number, frame in enumerate(frames, 10))
    return (
        "jdk.ExecutionSample {\n  startTime = 09:00:00.000\n"
        '  sampledThread = "Executor task launch worker for task 1.0" (javaThreadId = 70)\n'
        f"  stackTrace = [\n{lines}    ...\n  ]\n}}\n\n"
    )


def test_the_innermost_known_frame_names_the_step() -> None:
    text = (
        sample("java.util.HashMap.get", "fraudstream.contract.EventReader.readText", "org.apache.spark.sql.Row.get")
        + sample(
            "fraudstream.model.Ensemble.margin", "fraudstream.model.Champion.decide", "org.apache.spark.sql.Row.get"
        )
        + sample("fraudstream.model.Ensemble.margin", "fraudstream.model.Champion.decide")
        + sample("java.lang.Thread.run")
    )
    report = profile.shares(text)
    assert report["samples"] == 4
    assert report["steps"] == {
        "evaluate the trees": 0.5,
        "read and check the event": 0.25,
        "anything else": 0.25,
    }
    assert next(iter(report["hottest"].items())) == ("fraudstream.model.Ensemble.margin", 0.5)


def test_samples_without_a_stack_do_not_count() -> None:
    assert list(profile.stacks("jdk.ExecutionSample {\n  stackTrace = N/A\n}\n")) == []


def test_a_recording_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FraudstreamError, match="no recording"):
        profile.read(tmp_path / "none.jfr")
