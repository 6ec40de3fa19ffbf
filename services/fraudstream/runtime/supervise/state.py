"""What a supervisor leaves on disk: the state of its parts, and the lock that says that it lives."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import psutil

from fraudstream.core.errors import AlreadyRunning
from fraudstream.core.process import folders
from fraudstream.runtime.supervise import data_folder, process

PartPhase = Literal["starting", "ready", "failing", "restarting", "stopped", "failed"]

DATA_DIR_MARKER = "FRAUDSTREAM_DATA_DIR"
_PROBE_SECONDS = 0.5


@dataclass(slots=True)
class PartState:
    """A part as its supervisor sees it; times are seconds since the epoch.

    ``failing``: it runs and repeats a failure, which ``problem`` tells in one line.
    ``restarting``: it died and will be started again; ``failed``: it could not be prepared or was not ready in time,
    and will be tried again; ``stopped``: not started yet, or stopped on purpose.
    """

    name: str
    state: PartPhase = "stopped"
    pid: int | None = None
    create_time: float | None = None
    ports: list[int] = field(default_factory=list)
    started_at: float | None = None
    restarts: int = 0
    last_exit: str | None = None
    problem: str | None = None
    problem_since: float | None = None


@dataclass(slots=True)
class RunState:
    """All parts by name, and the supervisor's process id."""

    supervisor_pid: int
    parts: dict[str, PartState]

    @property
    def all_ready(self) -> bool:
        return bool(self.parts) and all(part.state == "ready" for part in self.parts.values())


def run_dir(data_dir: Path) -> Path:
    return data_dir / "run"


def state_file(data_dir: Path) -> Path:
    return run_dir(data_dir) / "state.json"


def log_file(data_dir: Path, name: str) -> Path:
    return data_dir / "logs" / f"{name}.log"


def write_state(data_dir: Path, state: RunState) -> None:
    """Replace the state file in one step, so that a reader never sees half of it."""
    target = state_file(data_dir)
    fresh = target.with_suffix(".tmp")
    fresh.write_text(json.dumps(asdict(state), indent=1), "utf-8")
    fresh.replace(target)


def read_state(data_dir: Path) -> RunState | None:
    """The last written state; ``None`` if there is none or it cannot be read."""
    try:
        values: dict[str, Any] = json.loads(state_file(data_dir).read_text("utf-8"))
        parts = {name: PartState(**part) for name, part in values["parts"].items()}
        return RunState(int(values["supervisor_pid"]), parts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


class DataLock:
    """The exclusive claim on a data folder; the operating system releases it when its holder dies."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._path = data_dir / data_folder.LOCK
        self._fd: int | None = None

    def acquire(self) -> None:
        """Take the lock or raise :class:`AlreadyRunning` with the holder's process id.

        Raises :class:`ConfigurationError` where the data folder cannot be written to.
        """
        folders.make(self._path.parent)
        is_first = not folders.exists(self._path)
        try:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise folders.unusable(self._path, f"cannot be opened ({error.strerror})") from error
        # Whoever asks for the holder takes the lock for an instant.
        if not process.await_condition(lambda: self._try_lock(fd), _PROBE_SECONDS):
            os.close(fd)
            raise AlreadyRunning(
                f"Fraudstream already runs in {self._data_dir} (process {self.holder() or 'unknown'}). "
                "Look at it with `fraudstream status`, stop it with `fraudstream down`, or set FRAUDSTREAM_DATA_DIR "
                "and other ports for a second one."
            )
        if is_first:
            data_folder.note_others(self._data_dir)
        os.ftruncate(fd, 0)
        os.pwrite(fd, str(os.getpid()).encode(), 0)
        self._fd = fd

    def release(self) -> None:
        if self._fd is not None:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = None

    def holder(self) -> int | None:
        """The process id of the living supervisor, or ``None``.

        Raises :class:`ConfigurationError` where this user may not look.
        """
        try:
            fd = os.open(self._path, os.O_RDONLY)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise folders.unusable(self._path, f"cannot be read ({error.strerror})") from error
        try:
            if self._try_lock(fd, shared=True):
                return None
            text = os.pread(fd, 32, 0).decode(errors="replace").strip()
            return int(text) if text.isdigit() else None
        finally:
            os.close(fd)

    def _try_lock(self, fd: int, shared: bool = False) -> bool:
        import fcntl  # not on Windows, where only the clients of other profiles run

        try:
            # An exclusive lock takes a file that is open for writing, on some file systems.
            fcntl.flock(fd, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:
            raise folders.unusable(self._path, f"cannot be locked ({error.strerror})") from error
        return True


def clean_leftovers(data_dir: Path) -> list[str]:
    """Kill what a dead supervisor left running and forget its state; returns the names of the parts killed.

    Call it only while holding the :class:`DataLock`.
    """
    state = read_state(data_dir)
    killed = []
    for part in state.parts.values() if state else ():
        victims = _leftovers(part.pid, part.create_time, data_dir) if part.pid else []
        if victims:
            process.kill(victims)
            killed.append(part.name)
    state_file(data_dir).unlink(missing_ok=True)
    return killed


def _leftovers(pid: int, created: float | None, data_dir: Path) -> list[psutil.Process]:
    members = process.session_members(pid)
    if process.same_process(pid, created):
        with contextlib.suppress(psutil.Error):
            members += [child for child in psutil.Process(pid).children(recursive=True) if child not in members]
        return members
    # The leader is gone: its number may have been given away, so only processes that carry our mark are ours.
    return [member for member in members if _marker(member) == str(data_dir.resolve())]


def _marker(member: psutil.Process) -> str | None:
    try:
        return member.environ().get(DATA_DIR_MARKER)
    except (psutil.Error, OSError):
        return None
