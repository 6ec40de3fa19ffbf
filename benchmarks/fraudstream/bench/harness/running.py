"""Shared by the streaming benchmarks: a stage with a broker, and running contenders with their samples."""

from __future__ import annotations

import statistics
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from fraudstream.bench.harness.contenders import Cast, Contender
from fraudstream.bench.harness.load import write_events
from fraudstream.bench.harness.stage import Stage, last_lines
from fraudstream.bench.harness.trained import trained_model
from fraudstream.core.errors import RuntimePartError
from fraudstream.runtime.parts import kafka_broker
from fraudstream.runtime.supervise import process
from fraudstream.runtime.supervise.part import Part

MEBIBYTE = 2**20

# A contender may be killed: nothing reads its state afterwards.
_PATIENCE_SECONDS = 3.0

Report = Callable[[str], None]


@contextmanager
def broker_stage(ours: dict[str, Any], report: Report, **values: Any) -> Iterator[tuple[Cast, Path]]:
    """A stage with a running broker: its cast, and the file of events."""
    report("preparing the model")
    model = trained_model()
    with Stage(**values) as stage:
        report("starting the broker")
        stage.start(kafka_broker.part(stage.settings))
        yield Cast(stage, model, ours), write_events(stage.folder / "events.jsonl")


@dataclass(slots=True)
class Running:
    """A contender's processes, with samples of their resident memory (MiB) taken every ``every`` seconds."""

    parts: list[Part]
    children: list[subprocess.Popen[bytes]]
    every: float
    samples: list[float] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)
    _sampler: threading.Thread | None = None

    def begin_sampling(self) -> None:
        """Take samples from now on, in a thread of its own."""
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._sampler.start()

    def end_sampling(self) -> None:
        """Stop sampling."""
        self._ended.set()
        if self._sampler is not None:
            self._sampler.join()

    def check(self) -> None:
        """Raises :class:`RuntimePartError` where a process has ended."""
        for part, child in zip(self.parts, self.children, strict=True):
            if child.poll() is not None:
                raise RuntimePartError(f"{part.name} ended while it was measured: status {child.returncode}.")

    def cpu_seconds(self) -> float:
        """Processor time that the processes and their descendants have used so far."""
        return sum(cpu_seconds(child.pid) for child in self.children)

    def memory(self) -> dict[str, float]:
        """The largest and the median sample, in MiB."""
        if not self.samples:
            return {}
        return {"memory_peak_mib": max(self.samples), "memory_median_mib": statistics.median(self.samples)}

    def _sample(self) -> None:
        while True:
            sizes = [process.family_memory(child.pid) for child in self.children]
            self.samples.append(round(sum(size or 0 for size in sizes) / MEBIBYTE, 1))
            if self._ended.wait(self.every):
                return


@contextmanager
def running(cast: Cast, contender: Contender, every: float = 5.0) -> Iterator[Running]:
    """The contender's processes, started; they end with the block."""
    parts = cast.parts(contender)
    children = [cast.stage.start(part) for part in parts]
    contender_running = Running(parts, children, every)
    try:
        yield contender_running
    except BaseException as error:
        for part in parts:
            error.add_note(f"{part.name}: {_words(cast.stage, part)}")
        raise
    finally:
        contender_running.end_sampling()
        for child in children:
            cast.stage.stop(child, _PATIENCE_SECONDS)


def _words(stage: Stage, part: Part) -> str:
    return last_lines(stage.log_of(part))


def cpu_seconds(pid: int) -> float:
    """Processor time of a process and its living descendants."""
    return sum(_cpu_seconds_of_each(pid).values())


class Used:
    """The processor time of a process and its descendants, between calls; some of them may end."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._before = _cpu_seconds_of_each(pid)

    def since_last(self) -> float:
        """Seconds since the last call, without those of processes that have ended since."""
        now = _cpu_seconds_of_each(self._pid)
        used = sum(seconds - self._before.get(pid, 0.0) for pid, seconds in now.items())
        self._before = now
        return used


def _cpu_seconds_of_each(pid: int) -> dict[int, float]:
    seconds = {}
    for member in process.family(pid):
        with suppress(psutil.Error):
            times = member.cpu_times()
            seconds[member.pid] = times.user + times.system
    return seconds
