"""The supervisor: starts parts in order, restarts those that die, and stops all of them together."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fraudstream.core.errors import ConfigurationError, FraudstreamError
from fraudstream.core.output.redaction import redact
from fraudstream.core.process import folders
from fraudstream.core.retry import Backoff
from fraudstream.runtime.supervise import process
from fraudstream.runtime.supervise.part import Part
from fraudstream.runtime.supervise.preflight import check_disk, check_ports
from fraudstream.runtime.supervise.state import (
    DATA_DIR_MARKER,
    DataLock,
    PartPhase,
    PartState,
    RunState,
    clean_leftovers,
    log_file,
    write_state,
)

BACKOFF = Backoff(0.5, 10.0)
HEALTHY_SECONDS = 60.0
GRACE_SECONDS = 10.0
# Shorter for a part that never became ready: stopping it holds up the loop that looks after the others.
_UNREADY_GRACE_SECONDS = 2.0

_TICK_STARTING_SECONDS = 0.05
_TICK_STEADY_SECONDS = 0.2

OnChange = Callable[[PartState], None]


class _Call:
    """A function running in a thread of its own, so that a slow condition holds up no other part."""

    def __init__(self, function: Callable[[], object]) -> None:
        self.result: object = None
        self.error: Exception | None = None
        self._function = function
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.result = self._function()
        except Exception as error:
            self.error = error


@dataclass(slots=True)
class _Supervised:
    part: Part
    state: PartState
    child: subprocess.Popen[bytes] | None = None
    preparing: _Call | None = None
    asking: _Call | None = None
    failures: int = 0  # in a row; they set the back-off
    start_not_before: float = 0.0  # monotonic, as the two below
    spawned_at: float = 0.0
    ready_since: float | None = None
    probe_error: str = ""
    logged_to: Path = field(default_factory=Path)


class Supervisor:
    """Runs parts as child processes of the thread that calls :meth:`run`, until it is asked to stop.

    The state of every part stands in ``<data_dir>/run/state.json``, its output in ``<data_dir>/logs/<name>.log``.
    ``on_change`` is called in that thread with the part's new state.
    """

    def __init__(
        self,
        parts: Sequence[Part],
        data_dir: Path,
        *,
        host: str = "127.0.0.1",
        port_variables: Mapping[int, str] | None = None,
        on_change: OnChange | None = None,
        on_message: Callable[[str], None] | None = None,
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self.parts = tuple(parts)
        self.data_dir = data_dir.resolve()
        self._host = host
        self._port_variables = port_variables or {}
        self._on_change = on_change or (lambda _: None)
        self._on_message = on_message or (lambda _: None)
        self._grace_seconds = grace_seconds
        self._stopping = threading.Event()
        self._supervised = {
            part.name: _Supervised(
                part, PartState(part.name, ports=list(part.ports)), logged_to=log_file(self.data_dir, part.name)
            )
            for part in in_start_order(self.parts)
        }
        self._state = RunState(0, {name: supervised.state for name, supervised in self._supervised.items()})

    def request_stop(self) -> None:
        """Make :meth:`run` stop all parts and return; safe in a signal handler and from any thread."""
        self._stopping.set()

    def run(self) -> None:
        """Start the parts and keep them running until :meth:`request_stop`; then stop them in reverse order.

        Raises :class:`AlreadyRunning`, :class:`PortTaken`, :class:`RuntimePartError` and, for the data folder,
        :class:`ConfigurationError` before any part is started.
        """
        lock = DataLock(self.data_dir)
        lock.acquire()
        try:
            self._state.supervisor_pid = os.getpid()
            folders.make(self.data_dir / "logs")
            if killed := clean_leftovers(self.data_dir):
                self._on_message(f"ended what an earlier run that was killed had left running: {', '.join(killed)}")
            check_disk(self.data_dir)
            check_ports(self.parts, self._host, self._port_variables)
            write_state(self.data_dir, self._state)
            try:
                self._keep_running()
            finally:
                self._stop_all()
        finally:
            lock.release()

    def _keep_running(self) -> None:
        while True:
            for supervised in self._supervised.values():
                self._advance(supervised)
            steady = all(supervised.state.state == "ready" for supervised in self._supervised.values())
            if self._stopping.wait(_TICK_STEADY_SECONDS if steady else _TICK_STARTING_SECONDS):
                return

    def _advance(self, supervised: _Supervised) -> None:
        """Take the part one step further: prepare, spawn, ask whether it is ready, or notice that it died."""
        now = time.monotonic()
        if supervised.child is not None:
            if (returncode := supervised.child.poll()) is not None:
                process.kill_session(supervised.child.pid)
                self._schedule_restart(supervised, "restarting", process.exit_text(returncode))
            elif (problem := supervised.part.failing()) is not None:
                self._fail(supervised, problem)
            elif supervised.ready_since is None:
                self._ask(supervised, now)
            elif supervised.state.state == "failing":
                supervised.state.problem = supervised.state.problem_since = None
                self._enter(supervised, "ready")
            elif supervised.failures and now - supervised.ready_since >= HEALTHY_SECONDS:
                supervised.failures = 0
        elif supervised.preparing is not None:
            if supervised.preparing.done:
                error, supervised.preparing = supervised.preparing.error, None
                if error is None:
                    self._spawn(supervised)
                else:
                    self._schedule_restart(supervised, "failed", f"could not be prepared: {_reason(error)}")
        elif now >= supervised.start_not_before and self._requirements_ready(supervised.part):
            if supervised.part.prepare is None:
                self._spawn(supervised)
            else:
                self._enter(supervised, "starting")
                supervised.preparing = _Call(supervised.part.prepare)

    def _requirements_ready(self, part: Part) -> bool:
        # A part that repeats a failure runs and goes on trying: parts that show the failure must not wait for its end.
        steady = all(self._supervised[name].state.state in ("ready", "failing") for name in part.after)
        return steady and not part.held()

    def _spawn(self, supervised: _Supervised) -> None:
        try:
            child = process.spawn(supervised.part, supervised.logged_to, {DATA_DIR_MARKER: str(self.data_dir)})
        except OSError as error:
            self._schedule_restart(supervised, "failed", f"{supervised.part.command[0]} cannot be started: {error}")
            return
        supervised.child = child
        supervised.spawned_at = time.monotonic()
        supervised.state.pid = child.pid
        supervised.state.create_time = process.create_time(child.pid)
        supervised.state.started_at = time.time()
        self._enter(supervised, "starting")

    def _ask(self, supervised: _Supervised, now: float) -> None:
        if supervised.asking is not None and supervised.asking.done:
            answer, supervised.asking = supervised.asking, None
            if answer.error is not None:
                supervised.probe_error = _reason(answer.error)
            if answer.result:
                supervised.ready_since = now
                supervised.state.problem = supervised.state.problem_since = None
                self._enter(supervised, "ready")
                return
        if now - supervised.spawned_at > supervised.part.ready_timeout_seconds:
            if supervised.child is not None:
                process.terminate(supervised.child, min(self._grace_seconds, _UNREADY_GRACE_SECONDS))
            why = f" ({supervised.probe_error})" if supervised.probe_error else ""
            self._schedule_restart(
                supervised, "failed", f"not ready within {supervised.part.ready_timeout_seconds:g} s{why}"
            )
        elif supervised.asking is None:
            supervised.asking = _Call(supervised.part.ready)

    def _fail(self, supervised: _Supervised, problem: str) -> None:
        """Mark a part that runs and repeats a failure: it goes on trying, and does not count as ready meanwhile."""
        supervised.asking = None
        # The failure explains why the part is not ready; its time limit counts from the end of the failure.
        supervised.spawned_at = time.monotonic()
        if supervised.state.problem != problem or supervised.state.state != "failing":
            supervised.state.problem, supervised.state.problem_since = (
                problem,
                supervised.state.problem_since or time.time(),
            )
            self._enter(supervised, "failing", news=True)

    def _schedule_restart(self, supervised: _Supervised, phase: PartPhase, reason: str) -> None:
        supervised.child = supervised.preparing = supervised.asking = supervised.ready_since = None
        supervised.failures += 1
        supervised.start_not_before = time.monotonic() + BACKOFF.seconds(supervised.failures)
        supervised.state.restarts += 1
        supervised.state.last_exit = reason
        supervised.state.problem = supervised.state.problem_since = None
        supervised.probe_error = ""
        supervised.state.pid = supervised.state.create_time = None
        self._enter(supervised, phase)

    def _enter(self, supervised: _Supervised, phase: PartPhase, news: bool = False) -> None:
        changed, supervised.state.state = supervised.state.state != phase, phase
        try:
            write_state(self.data_dir, self._state)
        except OSError as error:  # a full disk must not end the parts that can go on
            self._on_message(f"the state of {supervised.part.name} ({phase}) could not be written: {error}")
        # A part is `starting` while it is prepared and once it is spawned; a failure that repeats is news each time.
        if changed or news or phase in ("restarting", "failed"):
            self._on_change(supervised.state)

    def _stop_all(self) -> None:
        """Stop each part once those that wait for it are stopped; parts that do not depend on each other together."""
        remaining = list(self._supervised.values())
        while remaining:
            needed = {name for supervised in remaining for name in supervised.part.after}
            going = [supervised for supervised in remaining if supervised.part.name not in needed]
            threads = [
                threading.Thread(target=process.terminate, args=(supervised.child, self._grace_seconds))
                for supervised in going
                if supervised.child is not None
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            for supervised in going:
                remaining.remove(supervised)
                if supervised.child is not None:
                    supervised.state.last_exit = process.exit_text(supervised.child.returncode)
                    supervised.child = None
                supervised.state.pid = supervised.state.create_time = None
                supervised.state.problem = supervised.state.problem_since = None
                self._enter(supervised, "stopped")


def in_start_order(parts: Sequence[Part]) -> list[Part]:
    """The parts so that each follows those it waits for, else in the given order.

    Raises :class:`ConfigurationError` on an unknown name or a circle.
    """
    names = {part.name for part in parts}
    ordered: list[Part] = []
    waiting = list(parts)
    while waiting:
        placed = {part.name for part in ordered}
        following = next((part for part in waiting if set(part.after) <= placed), None)
        if following is None:
            unknown = sorted({name for part in waiting for name in part.after} - names)
            problem = f"unknown parts {', '.join(unknown)}" if unknown else "each other"
            raise ConfigurationError(f"{', '.join(part.name for part in waiting)} wait for {problem}.")
        ordered.append(following)
        waiting.remove(following)
    return ordered


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, FraudstreamError) else redact(f"{type(error).__name__}: {error}")
