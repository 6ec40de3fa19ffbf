"""A rehearsal from its start to its outcome: the unchanged services against endpoints with Azure's rules."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from fraudstream.cloud.rehearsal import environment
from fraudstream.cloud.rehearsal.devices import Telemetry
from fraudstream.cloud.rehearsal.endpoints import Endpoints
from fraudstream.cloud.rehearsal.environment import Keys, Plan, Ports
from fraudstream.cloud.rehearsal.faults import Fault, Schedule
from fraudstream.cloud.rehearsal.net import certificates
from fraudstream.cloud.rehearsal.outcome import Outcome, account_for, leaks
from fraudstream.cloud.rehearsal.parts import KEY_HOLDERS, Processes
from fraudstream.core.access.iot_hub import policy_of
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import REJECTED, SCORED, TRANSACTIONS
from fraudstream.core.errors import FraudstreamError
from fraudstream.runtime.accounting import await_processed, end_offsets, summarise
from fraudstream.runtime.machine import machine, versions
from fraudstream.runtime.own_command import COMMAND, ended

_PACKAGES = ("fraudstream", "kafka-python", "mlflow", "pymongo", "pyspark", "xgboost")

_STALLED_SECONDS = 240.0
_POLL_SECONDS = 1.0
_STORM_SECONDS = 8.0
_STORM_SHARE = 0.25

Report = Callable[[str], None]


class Rehearsal:
    """One rehearsal in a folder of its own. ``report`` gets each step; :meth:`run` returns the outcome."""

    def __init__(self, plan: Plan, folder: Path, report: Report = lambda _: None) -> None:
        self.plan = plan
        self.folder = folder
        self._report = report
        self.keys = Keys.new()
        self.ports = Ports.free()
        self._certificates = certificates.create(folder / "tls")
        self.behind = environment.settings_behind(folder / "data")
        self.front = environment.settings_in_front(folder / "data", self.keys, self.ports, self._certificates, plan)
        self.endpoints = Endpoints(
            plan, self.keys, self.ports, self._certificates, self.behind, self.front.scoring_port
        )
        trust = environment.trust_environment(self._certificates, self.keys, self.ports)
        self.processes = Processes(
            self.behind, self.front, self.endpoints, self._certificates, trust, plan.dashboards, plan.devices > 0
        )

    def run(self) -> Outcome:
        """Run all steps. Raises :class:`FraudstreamError` where a step fails."""
        began, measured_at, ran_on = time.monotonic(), datetime.now(UTC), machine()
        with self._running():
            self._step("services behind and in front, all over TLS", self.processes.await_ready)
            self._step(f"labelled history, {self.plan.history:,} events", self._send_history)
            self._step("training and registration without aliases", self._train)
            telemetry = self._send_telemetry() if self.plan.devices else {}
            scored_from = end_offsets(self.front, SCORED)
            live_began = time.monotonic()
            schedule = Schedule(self.faults() if self.plan.faults else [])
            published = self._step(f"{self.plan.events:,} live events", lambda: self.stream(schedule))
            seconds = time.monotonic() - live_began
            offsets = published["offsets"]["transactions"]
            produced = {int(number): (first, end) for number, (first, end) in offsets.items()}
            summary = summarise(self.front, produced, scored_from, datetime.now(UTC))
            outcome = account_for(self.plan, summary, published, self.endpoints, schedule, seconds)
        outcome.devices = telemetry
        outcome.measured_at, outcome.machine = measured_at.isoformat(timespec="seconds"), ran_on
        outcome.versions = versions(_PACKAGES)
        outcome.restarts = self.processes.restarts()
        outcome.leaks = leaks(self.folder / "data" / "logs", [*self.keys.everything(), *self._hub_keys()])
        outcome.seconds = round(time.monotonic() - began, 1)
        return outcome

    @contextmanager
    def _running(self) -> Iterator[None]:
        self.endpoints.start()
        try:
            # This process reads the topics too, and signs in as the services do.
            with environment.added(environment.identity_environment(self.keys, self.ports)):
                self.processes.start()
                yield
        finally:
            self.processes.stop()
            self.endpoints.stop()

    def _step(self, title: str, work: Callable[[], Any]) -> Any:
        began = time.monotonic()
        answer = work()
        self._report(f"{title} ({time.monotonic() - began:.1f} s)")
        return answer

    def _send_history(self) -> None:
        self._command("generate", "history", "--count", str(self.plan.history), "--seed", str(self.plan.seed))
        await_processed(self.front, _STALLED_SECONDS, lambda _: None)

    def _train(self) -> None:
        self._command("train", "--algorithm", "xgboost", "--await", str(self.plan.history))

    def _send_telemetry(self) -> dict[str, Any]:
        telemetry = Telemetry(self.plan.devices, self.endpoints, self.front)
        words = telemetry.words(self.plan.seed)

        def settle() -> None:
            await_processed(self.front, _STALLED_SECONDS, lambda _: None)

        def send() -> dict[str, Any]:
            return telemetry.send(self._started(words), lambda sender: _finished(sender, words), settle)

        figures: dict[str, Any] = self._step(f"{telemetry.events:,} events of {telemetry.devices} devices", send)
        return figures

    def _hub_keys(self) -> list[str]:
        return [policy_of(self.front).key] if self.plan.devices else []

    def stream(self, schedule: Schedule) -> Any:
        """Send the live events while the schedule's faults happen; returns what the sender says it has sent."""
        words = [
            *("generate", "live", "--rate", "0", "--count", str(self.plan.events)),
            *("--malformed", str(self.plan.malformed), "--seed", str(self.plan.seed), "--json"),
        ]
        before, arrived = self._records(SCORED, REJECTED), self._records(TRANSACTIONS)
        with self._started(words) as sender:
            while not schedule.all_happened:
                if sender.poll() not in (None, 0):
                    break
                # The first fault waits for the first event, so that the sender is in the middle of its work.
                if self._records(TRANSACTIONS) > arrived:
                    schedule.advance((self._records(SCORED, REJECTED) - before) / self.plan.events)
                time.sleep(_POLL_SECONDS)
            published = _finished(sender, words)
        await_processed(self.front, _STALLED_SECONDS, lambda _: None)
        return published

    def _records(self, *topics: str) -> int:
        return sum(end_offsets(self.front, *topics).values())

    def faults(self) -> list[Fault]:
        """The faults of the schedule, in the order in which they happen."""

        def storm() -> str:
            self.endpoints.storm(_STORM_SECONDS, _STORM_SHARE)
            return f"request and throughput units at {_STORM_SHARE:.0%} for {_STORM_SECONDS:.0f} s"

        def cut() -> str:
            return f"{self.endpoints.cut_connections()} connections ended"

        return [
            Fault("throttling storm", 0.0, storm),
            Fault("connections cut", 0.25, cut),
            Fault("keys rotated", 0.45, self._rotate),
            Fault("throttling storm", 0.7, storm),
            Fault("connections cut", 0.85, cut),
        ]

    def _rotate(self) -> str:
        """Rotate keys as an operator does: second keys into the environment, restart, then revoke the first ones."""
        self.endpoints.accept_second_keys()
        self.front = self.settings_with_second_keys()
        holders = [name for name in KEY_HOLDERS if name in self.processes.names]
        self.processes.restart(self.front, *holders)
        self.endpoints.revoke_first_keys()
        return f"{', '.join(holders)} restarted with the second keys, the first ones revoked"

    def settings_with_second_keys(self) -> Settings:
        """The settings in front, with the second key wherever there is one."""
        second = {
            "mongo_uri": environment.mongo_uri(self.keys.account[1], self.ports.cosmos, self._certificates.authority),
            "scoring_key": self.keys.endpoint[1],
        }
        if not self.plan.tokens:
            second["kafka_sasl_password"] = environment.connection_string(self.keys.namespace[1])
        values = {name: getattr(self.front, name) for name in type(self.front).model_fields}
        return Settings(**(values | second))

    def _command(self, *words: str) -> Any:
        command = [*words, "--json"]
        with self._started(command) as child:
            return _finished(child, command)

    @contextmanager
    def _started(self, words: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
        """A running ``fraudstream`` command; it ends with the block at the latest."""
        log = self.folder / "data" / "logs" / f"{words[0]}.log"
        with log.open("ab") as errors:
            child = subprocess.Popen(
                [*COMMAND, *words],
                env=environment.own_environment() | self.processes.environments["store"],
                stdout=subprocess.PIPE,
                stderr=errors,
            )
        with ended(child):
            yield child


def _finished(child: subprocess.Popen[bytes], words: Sequence[str]) -> Any:
    output, _ = child.communicate()
    if child.returncode:
        raise FraudstreamError(
            f"`fraudstream {' '.join(words)}` ended with status {child.returncode}. Its log is {words[0]}.log in the "
            "rehearsal's folder (--keep)."
        )
    return orjson.loads(output.splitlines()[-1])
