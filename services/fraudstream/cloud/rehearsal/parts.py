"""The processes of a rehearsal: the real services behind the endpoints, and the project's services in front."""

from __future__ import annotations

import http.client
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from fraudstream.cloud.rehearsal.endpoints import Endpoints
from fraudstream.cloud.rehearsal.eventhubs.namespace import broker_part
from fraudstream.cloud.rehearsal.net.certificates import Certificates
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import topics_of
from fraudstream.core.errors import RuntimePartError
from fraudstream.core.project.project import named
from fraudstream.core.streaming.health import READY_FILE_VARIABLE, failing_file, failing_sentence
from fraudstream.runtime.parts import documentstore
from fraudstream.runtime.parts.local import FURTHER_PARTS, local_parts, spark_job_environment
from fraudstream.runtime.supervise.part import Part
from fraudstream.runtime.supervise.state import read_state, run_dir
from fraudstream.runtime.supervise.supervisor import Supervisor

READY_SECONDS = 240.0
# These processes hold keys of the Azure services: a rotation restarts them with the second keys.
KEY_HOLDERS = ("stream", "store", "dashboards")
_POLL_SECONDS = 0.2


class Processes:
    """All processes under one supervisor. :attr:`environments`: name → variables, which a restart may change before."""

    def __init__(
        self,
        behind: Settings,
        front: Settings,
        endpoints: Endpoints,
        certificates: Certificates,
        trust: Mapping[str, str],
        dashboards: bool,
        devices: bool = False,
    ) -> None:
        self.folder = behind.data_dir.resolve()
        self.environments: dict[str, dict[str, str]] = {}
        self._trust = dict(trust)
        self._endpoints = endpoints
        self._deploying = threading.Lock()
        self._deployed = False
        self._partitions = front.topic_partitions
        local = {part.name: part for part in local_parts(behind)}
        parts = [
            broker_part(behind, endpoints.namespace, certificates),
            documentstore.part(behind),
            local["mlflow"],
            self._ours("scoring", front, _answers(front.scoring_port, "/health"), ("mlflow",)),
            self._spark_job("store", front, ("kafka", "documents")),
            self._spark_job("stream", front, ("kafka",)),
        ]
        if devices:
            parts.append(self._hub(behind, front))
        if dashboards:
            answers = _answers(front.dashboard_port, "/")
            parts.append(self._ours("dashboards", front, answers, ("documents", "store", "stream")))
        self.parts = tuple(parts)
        self.names = tuple(part.name for part in parts)
        self._supervisor = Supervisor(parts, self.folder)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)

    def start(self) -> None:
        """Start everything; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Stop everything and wait for it."""
        self._supervisor.request_stop()
        # An interrupt may come before the thread is started.
        if self._thread.ident is not None:
            self._thread.join(timeout=120)

    def await_ready(self, *names: str, since: float = 0.0) -> None:
        """Wait until the named processes (all by default) are ready and started after ``since`` (Unix time).

        Raises :class:`RuntimePartError` where one is not ready in time.
        """
        until = time.monotonic() + READY_SECONDS
        while True:
            if self._failure is not None:
                raise self._failure
            state = read_state(self.folder)
            parts = {} if state is None else state.parts
            waiting = [
                name
                for name in names or self.names
                if name not in parts or parts[name].state != "ready" or (parts[name].started_at or 0.0) < since
            ]
            if not waiting:
                return
            if time.monotonic() > until:
                raise RuntimePartError(
                    f"{', '.join(waiting)} not ready after {READY_SECONDS:.0f} s. "
                    f"See the logs in {self.folder / 'logs'}."
                )
            time.sleep(_POLL_SECONDS)

    def restart(self, front: Settings, *names: str) -> None:
        """Restart processes with other settings, and wait until they are ready."""
        since = time.time()
        state = read_state(self.folder)
        for name in names:
            self.environments[name].update(self._environment(front))
            if state is not None and (pid := state.parts[name].pid) is not None:
                os.kill(pid, signal.SIGTERM)
        self.await_ready(*names, since=since)

    def restarts(self) -> dict[str, int]:
        """Number of restarts of each process."""
        state = read_state(self.folder)
        return {} if state is None else {name: part.restarts for name, part in state.parts.items()}

    def _run(self) -> None:
        try:
            self._supervisor.run()
        except BaseException as error:
            self._failure = error

    def _ours(self, name: str, front: Settings, ready: Callable[[], bool], after: tuple[str, ...]) -> Part:
        env = self._environment(front)
        self.environments[name] = env
        return Part(name, _module(name), ready, env=env, after=after, ready_timeout_seconds=READY_SECONDS)

    def _spark_job(self, name: str, front: Settings, after: tuple[str, ...]) -> Part:
        ready_file: Path = run_dir(self.folder) / f"{name}.ready"
        env = self._environment(front) | {READY_FILE_VARIABLE: str(ready_file)}
        self.environments[name] = env

        def prepare() -> None:
            ready_file.unlink(missing_ok=True)
            failing_file(ready_file).unlink(missing_ok=True)
            self._deploy(front)

        return Part(
            name,
            _module(name),
            ready_file.exists,
            env=env,
            after=after,
            prepare=prepare,
            ready_timeout_seconds=READY_SECONDS,
            failing=lambda: failing_sentence(ready_file),
        )

    def _hub(self, behind: Settings, front: Settings) -> Part:
        """The local hub behind the emulated one; as in Azure, its way to the event hub needs none of our keys."""
        part = FURTHER_PARTS["devices"](behind)

        def prepare() -> None:
            self._deploy(front)
            if part.prepare is not None:
                part.prepare()

        return replace(part, prepare=prepare, ready_timeout_seconds=READY_SECONDS)

    def _deploy(self, front: Settings) -> None:
        """Create the hubs, once."""
        with self._deploying:
            if not self._deployed:
                self._endpoints.control_plane.deploy(topics_of(named(front.project)), self._partitions)
                self._deployed = True

    def _environment(self, front: Settings) -> dict[str, str]:
        return spark_job_environment(front) | self._trust


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", f"fraudstream.{name}"]


def _answers(port: int, path: str) -> Callable[[], bool]:
    def ask() -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1.0)
        try:
            connection.request("GET", path)
            return connection.getresponse().status > 0
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return ask
