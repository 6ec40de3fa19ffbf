"""A benchmark's stage: a folder and ports of its own, and processes that end with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient

from fraudstream.core.configuration.settings import ENV_PREFIX, Settings, profile_values
from fraudstream.core.contract.event import PROJECT
from fraudstream.core.contract.topics import REJECTED, SCORED, TRANSACTIONS, partitions
from fraudstream.core.errors import RuntimePartError
from fraudstream.core.kafka.clients import client_options, consumer, create_topics, topic_partitions
from fraudstream.core.project.places import bundled_folder
from fraudstream.runtime.parts.local import settings_environment
from fraudstream.runtime.supervise import process
from fraudstream.runtime.supervise.part import Part
from fraudstream.runtime.supervise.preflight import free_port
from fraudstream.runtime.supervise.state import log_file, run_dir

PORTS = ("kafka", "kafka_controller", "mongo", "mlflow", "scoring", "dashboard", "ingest")

_GRACE_SECONDS = 20.0
_POLL_SECONDS = 0.05
_TOPIC_SECONDS = 30.0


class Stage:
    """A folder and settings apart from the caller's variables; the processes that it started end with it.

    The folder goes too, unless it is ``kept_folder``.
    """

    def __init__(self, kept_folder: Path | None = None, **values: Any) -> None:
        self._kept = kept_folder is not None
        self.folder = kept_folder or Path(tempfile.mkdtemp(prefix="fraudstream-bench-"))
        for folder in (run_dir(self.folder), self.folder / "logs"):
            folder.mkdir(parents=True, exist_ok=True)
        ports = {f"{name}_port": free_port() for name in PORTS}
        self.settings = isolated(data_dir=self.folder, **(ports | values))
        self._children: list[subprocess.Popen[bytes]] = []
        self._numbered = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            for child in reversed(self._children):
                process.terminate(child, _GRACE_SECONDS)
            if error is not None:
                self._keep_logs()
        finally:
            if not self._kept:
                shutil.rmtree(self.folder, ignore_errors=True)

    def next_number(self) -> int:
        """A new number, for names of consumer groups and logs."""
        self._numbered += 1
        return self._numbered

    def start(self, part: Part) -> subprocess.Popen[bytes]:
        """Start a part and wait until it is ready. Raises :class:`RuntimePartError` with the end of its log."""
        if part.prepare is not None:
            part.prepare()
        child = process.spawn(part, self.log_of(part), {f"{ENV_PREFIX}DATA_DIR": str(self.folder)} | dict(part.env))
        self._children.append(child)
        self.await_condition(part.ready, part.ready_timeout_seconds, f"{part.name} is ready", part, child)
        return child

    def stop(self, child: subprocess.Popen[bytes], grace_seconds: float = _GRACE_SECONDS) -> None:
        """Stop a part with all its child processes."""
        process.terminate(child, grace_seconds)
        self._children.remove(child)

    def await_condition(
        self,
        condition: Callable[[], bool],
        seconds: float,
        what: str,
        part: Part | None = None,
        child: subprocess.Popen[bytes] | None = None,
    ) -> None:
        """Wait for the condition. Raises :class:`RuntimePartError` when the time is over or the child has ended."""
        until = time.monotonic() + seconds
        while not condition():
            ended = child is not None and child.poll() is not None
            if ended or time.monotonic() > until:
                words = last_lines(self.log_of(part)) if part is not None else ""
                why = "its process ended" if ended else f"not so after {seconds:.0f} s"
                raise RuntimePartError(f"Waited until {what}: {why}. {words}".strip())
            time.sleep(_POLL_SECONDS)

    def log_of(self, part: Part) -> Path:
        """The file of the part's output."""
        return log_file(self.folder, part.name)

    def environment(self, **values: Any) -> dict[str, str]:
        """The stage's settings with some changed, as a child's environment."""
        return environment_of(with_values(self.settings, values))

    def _keep_logs(self) -> None:
        kept = Path(tempfile.gettempdir()) / "fraudstream-bench-logs"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self.folder / "logs", kept)


def with_values(settings: Settings, values: dict[str, Any]) -> Settings:
    """The settings with some of them changed."""
    return Settings(**({name: getattr(settings, name) for name in type(settings).model_fields} | values))


def isolated(**values: Any) -> Settings:
    """The local profile's settings without the caller's variables and `.env`, but for the project."""
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    project = PROJECT.name if PROJECT.folder.parent == bundled_folder() else str(PROJECT.folder)
    return Settings(**(defaults | profile_values("local") | {"project": project} | values))


def environment_of(settings: Settings) -> dict[str, str]:
    """The settings as variables; an empty setting becomes an empty variable."""
    emptied = {f"{ENV_PREFIX}{name.upper()}": "" for name in type(settings).model_fields}
    return emptied | settings_environment(settings)


def last_lines(log: Path, count: int = 5) -> str:
    """The end of a log, in one line."""
    lines = log.read_text("utf-8", "replace").strip().splitlines() if log.exists() else []
    return " | ".join(lines[-count:])[-1500:]


def fresh_topics(settings: Settings, *names: str) -> None:
    """Delete these topics and create them again, empty."""
    admin = KafkaAdminClient(**client_options(settings))
    try:
        present = set(names) & set(admin.list_topics())
        if present:
            admin.delete_topics(sorted(present))
        until = time.monotonic() + _TOPIC_SECONDS
        while set(names) & set(admin.list_topics()):
            if time.monotonic() > until:
                raise RuntimePartError(f"The broker does not delete the topics {', '.join(sorted(present))}.")
            time.sleep(_POLL_SECONDS)
    finally:
        admin.close()
    create_topics(settings)


class Ends:
    """The number of records that topics hold, over one connection."""

    def __init__(self, settings: Settings, *topics: str) -> None:
        self._reader = consumer(settings)
        self._parts: list[TopicPartition] = []
        until = time.monotonic() + _TOPIC_SECONDS
        # The broker may not list a new topic yet.
        while len(self._parts) < len(topics) * partitions(settings):
            if time.monotonic() > until:
                raise RuntimePartError(f"The topics {', '.join(topics)} have {len(self._parts)} partitions.")
            self._parts = topic_partitions(self._reader, topics)

    def __call__(self) -> int:
        return sum(self._reader.end_offsets(self._parts).values())

    def close(self) -> None:
        """Close the connection."""
        self._reader.close()


OUTPUTS: Sequence[str] = (SCORED, REJECTED)
EVERYTHING: Sequence[str] = (TRANSACTIONS, SCORED, REJECTED)


def plain_environment() -> dict[str, str]:
    """This process's environment without Fraudstream's settings, which belong to another run."""
    return {name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX) or "CACHE" in name}
