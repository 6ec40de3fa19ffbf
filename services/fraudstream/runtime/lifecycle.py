"""Starting the supervisor in the background, waiting for its parts, and stopping it: what commands do with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import RuntimePartError
from fraudstream.core.process import environment, folders
from fraudstream.core.project.project import named
from fraudstream.runtime.supervise import data_folder, process, project_mark
from fraudstream.runtime.supervise.preflight import check_data_folder
from fraudstream.runtime.supervise.state import DataLock, PartState, clean_leftovers, log_file, read_state

SUPERVISOR_LOG = "supervisor"
SUPERVISOR_COMMAND = (sys.executable, "-m", "fraudstream.runtime", "up")

_POLL_SECONDS = 0.1
_START_SECONDS = 30.0
_STOP_SECONDS = 60.0
# A part that dies this often before it is ready will most likely go on dying.
_TRIES = 3
# So long may a part repeat a failure before nobody waits for it any more; narrowing down a record takes less.
_FAILING_SECONDS = 60.0


def running_supervisor(settings: Settings) -> int | None:
    """The process id of the supervisor of this data folder, or ``None``.

    Raises :class:`ConfigurationError` where this user may not look into the folder.
    """
    return DataLock(settings.data_dir.resolve()).holder()


def is_running(settings: Settings) -> bool:
    """Whether a supervisor runs on this data folder."""
    return running_supervisor(settings) is not None


def child_environment(settings: Settings) -> dict[str, str]:
    """What a command that starts Spark by itself, such as ``train``, needs in its environment beside the usual.

    Raises :class:`JavaMissing`, :class:`ArtifactError`.
    """
    from fraudstream.runtime.parts.local import spark_job_environment

    return spark_job_environment(settings)


def start_detached(settings: Settings) -> int:
    """Start a supervisor that outlives this process, unless one runs; returns its process id.

    It has checked ports and disk when this returns, and starts the parts. Raises :class:`RuntimePartError` with the
    supervisor's own words when it ends at once, and where one runs on another project's data.
    """
    if (running := running_supervisor(settings)) is not None:
        project_mark.claim(settings.data_dir.resolve(), named(settings.project))
        return running
    # What the parts read is of the project; whoever stops them needs none.
    from fraudstream.runtime.parts import local as parts

    parts.local_parts(settings)  # what is wrong with the configuration is better said here than in a log
    log = log_file(settings.data_dir.resolve(), SUPERVISOR_LOG)
    folders.make(log.parent)
    process.rotate_log(log)
    exported = parts.settings_environment(settings)
    with log.open("ab") as output:
        begins_at = output.tell()
        child = subprocess.Popen(
            SUPERVISOR_COMMAND,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**environment.made({**os.environ, **exported}), **exported},
            start_new_session=True,
        )

    def started_or_ended() -> bool:
        state = read_state(settings.data_dir)
        return child.poll() is not None or (state is not None and state.supervisor_pid == child.pid)

    try:
        process.await_condition(started_or_ended, _START_SECONDS, _POLL_SECONDS)
    except BaseException:
        # Whoever stops a supervisor finds it by its lock, which this one may not have yet.
        process.terminate(child, _STOP_SECONDS)
        raise
    if child.poll() is not None:
        raise RuntimePartError(_last_words(log, begins_at) or f"The supervisor ended at once. See {log}.")
    return child.pid


def await_ready(settings: Settings, names: Iterable[str], report: Callable[[str], None]) -> None:
    """Wait until the named parts (none named: all) are ready; ``report`` gets their state in words when it changes.

    Raises :class:`RuntimePartError` when the supervisor ends or a part keeps failing.
    """
    wanted = tuple(names)
    first: dict[str, int] = {}
    reported = ""
    while True:
        state = read_state(settings.data_dir)
        if state is None or not is_running(settings):
            raise RuntimePartError(
                f"The supervisor ended. See {log_file(settings.data_dir, SUPERVISOR_LOG)}; "
                "`fraudstream up -d` starts it again."
            )
        watched = [part for name, part in state.parts.items() if not wanted or name in wanted]
        if (now := describe(watched)) != reported:
            reported = now
            report(now)
        if all(part.state == "ready" for part in watched):
            return
        _refuse_failing(watched)
        for part in watched:
            failed = part.restarts - first.setdefault(part.name, part.restarts)
            if failed >= _TRIES and part.state in ("restarting", "failed"):
                raise RuntimePartError(
                    f"{part.name} does not get ready: {part.last_exit}, {failed} times. "
                    f"See `fraudstream logs {part.name}`."
                )
        time.sleep(_POLL_SECONDS)


def check_failing(settings: Settings, names: Iterable[str]) -> None:
    """Raise :class:`RuntimePartError` where one of the named parts has repeated a failure for a minute."""
    state, wanted = read_state(settings.data_dir), tuple(names)
    _refuse_failing([part for name, part in state.parts.items() if name in wanted] if state else [])


def _refuse_failing(watched: Iterable[PartState]) -> None:
    # A dependency that comes back mends it: only what goes on failing has to be told.
    for part in watched:
        since = part.problem_since
        if part.state == "failing" and since is not None and time.time() - since > _FAILING_SECONDS:
            raise RuntimePartError(f"{part.name} is {part.problem}")


def describe(watched: Iterable[PartState]) -> str:
    """Which parts are ready and what the others do, in one line."""
    return " · ".join(
        f"{part.name} {'✓' if part.state == 'ready' else part.state if part.started_at else 'waiting'}"
        for part in watched
    )


def stop(settings: Settings) -> bool:
    """Stop the supervisor and its parts; returns whether there was anything to stop.

    What ignores SIGTERM is killed, also what an earlier, killed supervisor left. Raises :class:`RuntimePartError` and
    :class:`ConfigurationError` where it is another user's.
    """
    data_dir = settings.data_dir.resolve()
    lock = DataLock(data_dir)
    pid = lock.holder()
    if pid is not None:
        _send(pid, signal.SIGTERM, data_dir)
        if not process.await_condition(lambda: lock.holder() != pid, _STOP_SECONDS, _POLL_SECONDS):
            _send(pid, signal.SIGKILL, data_dir)
            process.await_condition(lambda: lock.holder() != pid, _STOP_SECONDS, _POLL_SECONDS)
    if read_state(data_dir) is None:
        return pid is not None
    lock.acquire()
    try:
        killed = clean_leftovers(data_dir)
    finally:
        lock.release()
    return pid is not None or bool(killed)


def holds_data(settings: Settings) -> bool:
    """Whether there are data of ours, which can be deleted.

    Raises :class:`RuntimePartError` where the folder is not one that a supervisor has worked in,
    :class:`ConfigurationError` where this user cannot see or change it.
    """
    folder = settings.data_dir.resolve()
    try:
        if not folder.exists() or not any(folder.iterdir()):
            return False
        ours = data_folder.is_ours(folder)
    except OSError as error:
        raise folders.unusable(folder, f"cannot be looked into ({error.strerror})") from error
    if not ours:
        raise RuntimePartError(f"{folder} holds no data of ours and is left alone. Check FRAUDSTREAM_DATA_DIR.")
    check_data_folder(settings)
    return True


def delete_data(settings: Settings) -> list[str]:
    """Stop the supervisor and delete its data; returns what stays in the data folder because it is not ours.

    Raises :class:`ConfigurationError` for what cannot be deleted, and what :func:`stop` raises.
    """
    stop(settings)
    return data_folder.delete(settings.data_dir.resolve())


def _send(pid: int, number: signal.Signals, data_dir: Path) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
    except PermissionError as error:
        raise RuntimePartError(
            f"Fraudstream runs in {data_dir} as process {pid}, which is another user's. Stop it as that user, or set "
            "FRAUDSTREAM_DATA_DIR to a folder of your own."
        ) from error


def _last_words(log: Path, begins_at: int) -> str:
    with log.open("rb") as text:
        text.seek(begins_at)
        lines = text.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1].removeprefix("fraudstream: ") if lines else ""
