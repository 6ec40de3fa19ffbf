"""The supervisor with small fake parts: order, restarts, stops, and nothing left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from fraudstream.core.errors import AlreadyRunning, ConfigurationError, PortTaken, RuntimePartError
from fraudstream.core.retry import Backoff
from fraudstream.runtime.supervise import preflight, process, supervisor
from fraudstream.runtime.supervise.part import Part
from fraudstream.runtime.supervise.state import (
    DataLock,
    PartState,
    RunState,
    log_file,
    read_state,
    state_file,
    write_state,
)
from fraudstream.runtime.supervise.supervisor import BACKOFF, Supervisor, in_start_order

WAIT_SECONDS = 30
FOREVER = "import signal, time\nwhile True: signal.pause()"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="parts run on Linux and macOS")


def fake(name: str, code: str = FOREVER, **options: Any) -> Part:
    options.setdefault("ready", lambda: True)
    return Part(name, [sys.executable, "-c", textwrap.dedent(code)], **options)


def await_that(condition: Callable[[], object], what: str) -> None:
    assert process.await_condition(lambda: bool(condition()), WAIT_SECONDS, 0.02), f"never happened: {what}"


@contextmanager
def running(data_dir: Path, *parts: Part, **options: Any) -> Iterator[Supervisor]:
    """A supervisor in a thread of its own; its error, if any, is raised at the end."""
    errors: list[BaseException] = []
    options.setdefault("grace_seconds", 5.0)
    part_supervisor = Supervisor(parts, data_dir, **options)

    def run() -> None:
        try:
            part_supervisor.run()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield part_supervisor
    finally:
        part_supervisor.request_stop()
        thread.join(WAIT_SECONDS)
        assert not thread.is_alive(), "the supervisor does not stop"
    if errors:
        raise errors[0]


def part_state(data_dir: Path, name: str) -> PartState:
    state = read_state(data_dir)
    return state.parts[name] if state and name in state.parts else PartState(name)


def await_state(data_dir: Path, name: str, phase: str) -> PartState:
    await_that(lambda: part_state(data_dir, name).state == phase, f"{name} {phase}")
    return part_state(data_dir, name)


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def read_pid(file: Path) -> int:
    await_that(lambda: file.exists() and file.read_text().strip(), f"a process id in {file.name}")
    return int(file.read_text())


# Order...


def test_a_part_starts_after_those_it_waits_for(tmp_path: Path) -> None:
    seen: list[tuple[str, str]] = []
    parts = (fake("second", after=("first",)), fake("first"))
    with running(tmp_path, *parts, on_change=lambda state: seen.append((state.name, state.state))):
        await_state(tmp_path, "second", "ready")
    assert seen[:4] == [("first", "starting"), ("first", "ready"), ("second", "starting"), ("second", "ready")]
    assert [name for name, phase in seen if phase == "stopped"] == ["second", "first"]


def test_independent_parts_start_together(tmp_path: Path) -> None:
    # Each is ready only once the other runs.
    def runs(name: str) -> Callable[[], bool]:
        return lambda: part_state(tmp_path, name).pid is not None

    with running(tmp_path, fake("a", ready=runs("b")), fake("b", ready=runs("a"))):
        await_state(tmp_path, "a", "ready")
        await_state(tmp_path, "b", "ready")


def test_a_slow_condition_holds_up_no_other_part(tmp_path: Path) -> None:
    release = threading.Event()
    with running(tmp_path, fake("slow", ready=lambda: release.wait(WAIT_SECONDS)), fake("quick")):
        await_state(tmp_path, "quick", "ready")
        assert part_state(tmp_path, "slow").state == "starting"
        release.set()
        await_state(tmp_path, "slow", "ready")


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ((fake("a", after=("b",)), fake("b", after=("a",))), "each other"),
        ((fake("a", after=("missing",)),), "missing"),
    ],
)
def test_an_order_that_cannot_be_kept_is_refused(parts: tuple[Part, ...], problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        in_start_order(parts)


# Parts that run and repeat a failure...


def test_a_part_that_repeats_a_failure_is_failing_until_it_works(tmp_path: Path) -> None:
    problem = tmp_path / "problem"
    failing = fake("job", failing=lambda: problem.read_text() if problem.exists() else None)
    with running(tmp_path, failing):
        pid = await_state(tmp_path, "job", "ready").pid
        problem.write_text("failing since noon: the store does not answer. Start it.")
        state = await_state(tmp_path, "job", "failing")
        assert (state.pid, state.problem, state.restarts) == (pid, problem.read_text(), 0)
        assert state.problem_since is not None
        problem.unlink()
        assert await_state(tmp_path, "job", "ready").problem is None
        assert part_state(tmp_path, "job").pid == pid


def test_a_part_that_fails_before_it_was_ready_is_not_killed_for_it_and_holds_up_no_other(tmp_path: Path) -> None:
    job = fake("job", ready=lambda: False, ready_timeout_seconds=0.5, failing=lambda: "failing since noon: x. Do y.")
    with running(tmp_path, job, fake("pages", after=("job",))):
        pid = await_state(tmp_path, "job", "failing").pid
        await_state(tmp_path, "pages", "ready")
        assert part_state(tmp_path, "job").pid == pid


def test_what_a_readiness_probe_fails_of_is_told(tmp_path: Path) -> None:
    def ready() -> bool:
        raise RuntimePartError("nobody answers on port 1")

    with running(tmp_path, fake("deaf", ready=ready, ready_timeout_seconds=0.3)):
        state = await_state(tmp_path, "deaf", "failed")
        assert state.last_exit == "not ready within 0.3 s (nobody answers on port 1)"


# Failures...


def test_a_killed_part_is_restarted_and_its_children_do_not_linger(tmp_path: Path) -> None:
    grandchild = tmp_path / "grandchild"
    code = f"""
        import pathlib, signal, subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
        pathlib.Path({str(grandchild)!r}).write_text(str(child.pid))
        signal.pause()
    """
    with running(tmp_path, fake("part", code)):
        before = await_state(tmp_path, "part", "ready")
        lingering = read_pid(grandchild)
        assert before.pid is not None
        os.kill(before.pid, signal.SIGKILL)
        await_that(lambda: part_state(tmp_path, "part").restarts == 1, "a restart")
        after = await_state(tmp_path, "part", "ready")
        assert after.pid not in (None, before.pid)
        assert after.last_exit == "killed by SIGKILL"
        assert gone(lingering)


def test_a_part_that_exits_is_tried_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "BACKOFF", Backoff(0.01, 10.0))
    with running(tmp_path, fake("part", "raise SystemExit(3)", ready=lambda: False)):
        await_that(lambda: part_state(tmp_path, "part").restarts >= 3, "three restarts")
        assert part_state(tmp_path, "part").last_exit == "exit status 3"


def test_the_back_off_doubles_up_to_its_limit() -> None:
    assert [BACKOFF.seconds(failures) for failures in range(1, 7)] == [0.5, 1.0, 2.0, 4.0, 8.0, 10.0]
    assert BACKOFF.seconds(1_000_000) == 10.0


def test_the_back_off_starts_anew_after_a_healthy_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "BACKOFF", Backoff(0.01, 10.0))
    monkeypatch.setattr(supervisor, "HEALTHY_SECONDS", 0.1)
    with running(tmp_path, fake("part")) as parent:
        pid = await_state(tmp_path, "part", "ready").pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await_that(lambda: parent._supervised["part"].failures == 1, "a failure")
        await_that(lambda: parent._supervised["part"].failures == 0, "failures forgotten")
        assert part_state(tmp_path, "part").restarts == 1


def test_a_part_that_is_not_ready_in_time_is_stopped_and_tried_again(tmp_path: Path) -> None:
    with running(tmp_path, fake("part", ready=lambda: False, ready_timeout_seconds=0.3)):
        await_that(lambda: part_state(tmp_path, "part").pid is not None, "a start")
        pid = part_state(tmp_path, "part").pid
        state = await_state(tmp_path, "part", "failed")
        assert state.last_exit == "not ready within 0.3 s"
        assert pid is not None
        assert gone(pid)
        await_that(lambda: part_state(tmp_path, "part").restarts >= 2, "another try")


def test_a_failed_preparation_is_told_and_repeated(tmp_path: Path) -> None:
    tries: list[int] = []

    def prepare() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise RuntimePartError("The folder is not ready yet.")

    with running(tmp_path, fake("part", prepare=prepare)):
        state = await_state(tmp_path, "part", "ready")
    assert len(tries) == 2
    assert state.restarts == 1
    assert state.last_exit == "could not be prepared: The folder is not ready yet."


def test_a_command_that_does_not_exist_is_a_failure_of_its_part_alone(tmp_path: Path) -> None:
    with running(tmp_path, Part("part", ["/no/such/program"], lambda: True), fake("other")):
        assert "/no/such/program" in str(await_state(tmp_path, "part", "failed").last_exit)
        await_state(tmp_path, "other", "ready")


# Stops...


def test_a_part_gets_the_chance_to_end_by_itself(tmp_path: Path) -> None:
    code = """
        import signal
        signal.signal(signal.SIGTERM, lambda *_: exit(7))
        print("waiting", flush=True)
        signal.pause()
    """
    log = log_file(tmp_path, "part")
    with running(tmp_path, fake("part", code, ready=lambda: log.exists() and "waiting" in log.read_text())):
        await_state(tmp_path, "part", "ready")
    assert part_state(tmp_path, "part").last_exit == "exit status 7"


def test_a_part_that_ignores_sigterm_is_killed_with_its_children(tmp_path: Path) -> None:
    grandchild = tmp_path / "grandchild"
    code = f"""
        import os, pathlib, signal, subprocess, sys
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        # In a group of its own, as Spark's Python workers are.
        child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"], process_group=0)
        pathlib.Path({str(grandchild)!r}).write_text(str(child.pid))
        while True: signal.pause()
    """
    with running(tmp_path, fake("part", code, ready=lambda: grandchild.exists()), grace_seconds=0.2):
        await_state(tmp_path, "part", "ready")
        pid = read_pid(grandchild)
    assert part_state(tmp_path, "part").last_exit == "killed by SIGKILL"
    assert gone(pid)


SUPERVISOR_SCRIPT = """
import pathlib, sys
from fraudstream.runtime.supervise.part import Part
from fraudstream.runtime.supervise.supervisor import Supervisor

Supervisor([Part("part", [sys.executable, "-c", sys.argv[2]], lambda: True)], pathlib.Path(sys.argv[1])).run()
"""


@contextmanager
def supervisor_process(data_dir: Path, part_code: str = FOREVER) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", SUPERVISOR_SCRIPT, str(data_dir), textwrap.dedent(part_code)]
    child = subprocess.Popen(command)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's parent-death signal is Linux's")
def test_a_killed_supervisor_leaves_no_orphan(tmp_path: Path) -> None:
    with supervisor_process(tmp_path) as child:
        pid = await_state(tmp_path, "part", "ready").pid
        child.kill()
        child.wait()
    assert pid is not None
    await_that(lambda: gone(pid), "the end of the part")


def test_the_next_run_ends_what_a_killed_supervisor_left(tmp_path: Path) -> None:
    grandchild = tmp_path / "grandchild"
    code = f"""
        import pathlib, signal, subprocess, sys
        child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
        pathlib.Path({str(grandchild)!r}).write_text(str(child.pid))
        signal.pause()
    """
    with supervisor_process(tmp_path, code) as child:
        await_state(tmp_path, "part", "ready")
        lingering = read_pid(grandchild)
        child.kill()
        child.wait()
    assert not gone(lingering)
    messages: list[str] = []
    with running(tmp_path, fake("other"), on_message=messages.append):
        await_state(tmp_path, "other", "ready")
        assert gone(lingering)
    assert messages == ["ended what an earlier run that was killed had left running: part"]


def test_a_stale_state_never_costs_another_process_its_life(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    # The recorded number now belongs to a process that was created later.
    with subprocess.Popen([sys.executable, "-c", FOREVER], start_new_session=True) as stranger:
        created = psutil.Process(stranger.pid).create_time()
        stale = PartState("part", "ready", stranger.pid, created - 3600)
        write_state(tmp_path, RunState(999_999, {"part": stale}))
        with running(tmp_path, fake("part")):
            await_state(tmp_path, "part", "ready")
            assert stranger.poll() is None
        stranger.kill()


# Before anything starts...


def test_a_second_supervisor_is_refused(tmp_path: Path) -> None:
    with supervisor_process(tmp_path) as child:
        await_state(tmp_path, "part", "ready")
        with pytest.raises(AlreadyRunning, match=rf"process {child.pid}.*fraudstream down"), running(tmp_path):
            pass
        assert DataLock(tmp_path).holder() == child.pid
        child.kill()
        child.wait()
        assert DataLock(tmp_path).holder() is None


def test_a_taken_port_is_refused_with_its_holder_and_its_variable(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        part = fake("kafka", ports=(port,))
        variables = {port: "FRAUDSTREAM_KAFKA_PORT"}
        with pytest.raises(PortTaken) as caught, running(tmp_path, part, port_variables=variables):
            pass
    for expected in (str(port), "kafka", f"process {os.getpid()}", "FRAUDSTREAM_KAFKA_PORT"):
        assert expected in str(caught.value)
    assert not log_file(tmp_path, "kafka").exists()


def test_one_port_for_two_parts_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(PortTaken, match="both a and b"):
        preflight.check_ports([fake("a", ports=(port,)), fake("b", ports=(port,))], "127.0.0.1", {})


def test_free_ports_are_never_given_twice_and_no_connection_takes_them() -> None:
    given = [preflight.free_port() for _ in range(200)]
    assert len(set(given)) == len(given)
    assert max(given) < 32_768


def test_a_port_that_is_listened_on_is_not_free(monkeypatch: pytest.MonkeyPatch) -> None:
    port = preflight.free_port()
    monkeypatch.setattr(preflight, "_GIVEN", set())
    monkeypatch.setattr(preflight, "_LISTENERS_PORTS", range(port, port + 1))
    with socket.create_server(("127.0.0.1", port)), pytest.raises(RuntimePartError, match=str(port)):
        preflight.free_port()
    assert preflight.free_port() == port


def test_a_full_disk_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RuntimePartError, match="MB are free"):
        preflight.check_disk(tmp_path, least_free_bytes=2**62)


# Logs and state...


def test_a_part_logs_both_its_streams_and_finds_its_environment(tmp_path: Path) -> None:
    code = """
        import os, signal, sys
        print("out", os.environ["GREETING"], flush=True)
        print("err", file=sys.stderr, flush=True)
        signal.pause()
    """
    log = log_file(tmp_path, "part")
    with running(tmp_path, fake("part", code, env={"GREETING": "hello"}, ready=lambda: "err" in log.read_text())):
        await_state(tmp_path, "part", "ready")
    assert log.read_text().splitlines() == ["out hello", "err"]


def test_a_long_log_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "LOG_ROTATE_BYTES", 3)
    log = tmp_path / "part.log"
    for text in ("first", "second", "third", "fourth"):
        log.write_text(text)
        process.rotate_log(log)
    log.write_text("new")
    process.rotate_log(log)
    kept = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert kept == {"part.log": "new", "part.log.1": "fourth", "part.log.2": "third", "part.log.3": "second"}


def test_the_state_file_tells_everything_about_a_part(tmp_path: Path) -> None:
    with running(tmp_path, fake("part")):
        state = await_state(tmp_path, "part", "ready")
        written = json.loads(state_file(tmp_path).read_text())
        assert written["supervisor_pid"] == os.getpid()
        assert process.same_process(state.pid, state.create_time)
        assert set(written["parts"]["part"]) == {
            *("name", "state", "pid", "create_time", "ports", "started_at", "restarts", "last_exit"),
            *("problem", "problem_since"),
        }
