"""The contenders: bare loops, the stream job under both triggers, and the peers' apps, all as processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from fraudstream.bench.harness.environments import FOLDER, python_of
from fraudstream.bench.harness.stage import Stage, environment_of, with_values
from fraudstream.bench.harness.trained import BenchModel
from fraudstream.bench.job.variants import PLAIN, ROWS, variant_folder
from fraudstream.core.contract.event import PROJECT
from fraudstream.core.contract.topics import REJECTED, SCORED, TRANSACTIONS
from fraudstream.core.project.project import bundled
from fraudstream.core.streaming.health import READY_FILE_VARIABLE
from fraudstream.runtime.parts.local import spark_job_environment
from fraudstream.runtime.supervise.part import Part
from fraudstream.runtime.supervise.preflight import free_port

Kind = Literal["bare", "ours", "peer"]

_READY_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Contender:
    """Takes events from `transactions` and puts them on `scored`; bare loops do nothing else.

    ``words``: its worker's last arguments, or the stream job's trigger. ``processes`` share the partitions.
    ``variant``: how the project's query differs from its own.
    """

    name: str
    label: str
    kind: Kind
    words: tuple[str, ...]
    environment: str = ""
    processes: int = 1
    scores: bool = True
    batched: bool = False
    variant: str = ""


def _ours(trigger: str, label: str, variant: str = "", words: str = "") -> Contender:
    name = f"{trigger}-{variant}" if variant else trigger
    is_batched = trigger == "microbatch"
    return Contender(name, f"Fraudstream, {label}{words}", "ours", (trigger,), batched=is_batched, variant=variant)


def _peer(name: str, label: str) -> list[Contender]:
    return [
        Contender(name, f"{label}, per message", "peer", ("message",), name),
        Contender(f"{name}-batch", f"{label}, batched, 2 processes", "peer", ("batch",), name, 2, batched=True),
    ]


CONTENDERS: Mapping[str, Contender] = {
    contender.name: contender
    for contender in (
        Contender("echo", "bare loop without work", "bare", ("echo", "1"), "bare", scores=False),
        Contender("bare", "bare loop that scores", "bare", ("score", "1"), "bare"),
        Contender("bare-batch", "bare loop that scores, batched", "bare", ("score", "1000"), "bare", batched=True),
        *(
            _ours(trigger, label, variant, words)
            for trigger, label in (("realtime", "real-time"), ("microbatch", "micro-batch"))
            for variant, words in (("", ""), (PLAIN, ", without alerts"), (ROWS, ", row by row"))
        ),
        *_peer("quix", "Quix Streams"),
        Contender("quix-default", "Quix Streams, per message, as it comes", "peer", ("default",), "quix"),
        *_peer("bytewax", "Bytewax"),
        *_peer("faust", "Faust"),
    )
}

_SCRIPTS = {"bare": "bare.py", "quix": "quix_app.py", "bytewax": "bytewax_app.py", "faust": "faust_app.py"}


@dataclass(slots=True)
class Cast:
    """Starts contenders' processes in a stage, all with one model; ``ours`` are the stream job's settings."""

    stage: Stage
    model: BenchModel
    ours: Mapping[str, Any] = field(default_factory=dict)

    def parts(self, contender: Contender) -> list[Part]:
        """The processes of a contender, with new consumer groups and checkpoints."""
        number = self.stage.next_number()
        if contender.kind == "ours":
            return [self._stream_job(contender, number)]
        return self._workers(contender, number)

    def worker(self, environment: str, script: str, *words: str, name: str = "") -> Part:
        """A worker's process."""
        return Part(
            name or f"{Path(script).stem}-{self.stage.next_number()}",
            [str(python_of(environment)), str(FOLDER / script), *words],
            lambda: True,
            env={**_FRUGAL, "BENCH_MODEL": str(self.model.booster)},
            cwd=self.stage.folder,
        )

    def _stream_job(self, contender: Contender, number: int) -> Part:
        name = f"{contender.name}-{number}"
        folder = self.stage.folder / name
        folder.mkdir()
        ready = folder / "ready"
        settings = with_values(
            self.stage.settings,
            {
                **self.ours,
                "data_dir": folder,
                "scoring": "embedded",
                "trigger": contender.words[0],
                "mlflow_tracking_uri": self.model.tracking_uri,
                **self._project(contender),
            },
        )
        env = environment_of(settings) | spark_job_environment(settings) | {READY_FILE_VARIABLE: str(ready)}
        command = [sys.executable, "-m", "fraudstream.stream"]
        return Part(name, command, ready.exists, env=env, ready_timeout_seconds=_READY_SECONDS)

    def _project(self, contender: Contender) -> dict[str, str]:
        if not contender.variant:
            return {}
        return {"project": str(variant_folder(self.stage.folder, contender.variant))}

    def _workers(self, contender: Contender, number: int) -> list[Part]:
        bootstrap = self.stage.settings.kafka_bootstrap_servers
        addresses = [f"127.0.0.1:{free_port()}" for _ in range(contender.processes)]
        topics = (TRANSACTIONS, SCORED, *((REJECTED,) if contender.kind == "peer" else ()))
        parts = []
        for place in range(contender.processes):
            worker = self.worker(
                contender.environment,
                _SCRIPTS[contender.environment],
                *(bootstrap, *topics, f"bench-{contender.name}-{number}", *contender.words),
                name=f"{contender.name}-{number}-{place}",
            )
            cluster = (
                {"BENCH_ADDRESSES": " ".join(addresses), "BENCH_PROCESS": str(place)} if place or addresses[1:] else {}
            )
            parts.append(Part(worker.name, worker.command, worker.ready, env={**worker.env, **cluster}, cwd=worker.cwd))
        return parts


_FRUGAL = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYTHONPATH": "",
    # The workers' scripts import their neighbours.
    "PYTHONSAFEPATH": "",
    "PATH": os.environ.get("PATH", ""),
}


def chosen(names: Sequence[str]) -> list[Contender]:
    """The contenders of these names. Raises ``KeyError`` for an unknown one."""
    return [CONTENDERS[name] for name in names]


def able(names: Sequence[str]) -> tuple[str, ...]:
    """The contenders that read the events of the project in force: the peers' apps have the contract of payments."""
    of_payments = PROJECT.rules == bundled("payments").rules
    return tuple(name for name in names if of_payments or CONTENDERS[name].kind != "peer")
