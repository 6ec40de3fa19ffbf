"""The command line: exit statuses, JSON on stdout, errors on stderr, and a supervisor in the back- and foreground."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from fraudstream.core.configuration.settings import Settings, load_settings
from fraudstream.core.errors import ConfigurationError, RuntimePartError
from fraudstream.runtime import cli, commands, lifecycle
from fraudstream.runtime.log_reading import follow_file, last_lines
from fraudstream.runtime.parts import local as parts
from fraudstream.runtime.supervise import process
from fraudstream.runtime.supervise.state import PartState, log_file, read_state, run_dir
from fraudstream.runtime.supervise.supervisor import in_start_order
from tests.impatient import impatient

pytestmark = pytest.mark.timeless

WAIT_SECONDS = 30
runner = CliRunner()

# The command with fake parts in place of the real ones; the second one is ready when the file in
# FRAUDSTREAM_GATE exists.
COMMAND_WITH_FAKES = """
import os, pathlib, sys
from fraudstream.runtime.parts import local as parts
from fraudstream.runtime.supervise.part import Part

sleeper = [sys.executable, "-c", "import signal; signal.pause()"]
gate = pathlib.Path(os.environ["FRAUDSTREAM_GATE"])
parts.local_parts = lambda settings: [
    Part("kafka", sleeper, lambda: True),
    Part("stream", sleeper if gate.exists() else [sys.executable, "-c", "raise SystemExit(4)"], gate.exists),
]
from fraudstream.runtime.cli import main

main()
"""


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Fake parts for supervisors started from here; what still runs at the end is stopped."""
    file = tmp_path / "gate"
    file.touch()
    monkeypatch.setenv("FRAUDSTREAM_GATE", str(file))
    monkeypatch.setenv("FRAUDSTREAM_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(lifecycle, "SUPERVISOR_COMMAND", (sys.executable, "-c", COMMAND_WITH_FAKES, "up"))
    monkeypatch.setattr(parts, "local_parts", lambda _: [])
    for variable in ("FRAUDSTREAM_KAFKA_PORT", "FRAUDSTREAM_MONGO_PORT"):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            monkeypatch.setenv(variable, str(listener.getsockname()[1]))
    yield file
    lifecycle.stop(load_settings())


def command(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    done: subprocess.CompletedProcess[str] = subprocess.run(
        [sys.executable, "-m", "fraudstream.runtime", *words], capture_output=True, text=True, check=False, **options
    )
    return done


def await_ready_file() -> None:
    settings = load_settings()

    def ready() -> bool:
        state = read_state(settings.data_dir)
        return state is not None and state.all_ready

    assert process.await_condition(ready, WAIT_SECONDS)


# Errors, help and settings...


def test_an_error_of_ours_is_one_line_and_its_exit_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDSTREAM_KAFKA_PORT", "no-port")
    done = command("config", "show")
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("fraudstream: FRAUDSTREAM_KAFKA_PORT: ")
    assert "no-port" in line


def test_help_lists_the_commands_and_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom fraudstream.runtime.cli import main\nsys.argv = ['fraudstream', '--help']\n"
        "heavy = {'pyspark', 'mlflow', 'pandas', 'kafka', 'pymongo', 'httpx', 'psutil'}\ntry:\n    main()\nfinally:\n"
        "    print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for name in ("up", "down", "status", "logs", "reset", "doctor", "config", "demo", "generate", "train", "models"):
        assert f" {name} " in done.stdout
    assert done.stderr.strip() == "[]"


def test_config_show_as_json_is_one_flat_object_with_secrets_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDSTREAM_MONGO_URI", "mongodb://me:hunter2@example.org/")
    done = runner.invoke(cli.app, ["config", "show", "--json"])
    values = json.loads(done.stdout)
    assert done.exit_code == 0
    assert values["kafka_bootstrap_servers"] == "127.0.0.1:9092"
    assert values["mongo_uri"] == "mongodb://me:********@example.org/"
    assert not [value for value in values.values() if isinstance(value, dict | list)]


def test_config_show_tells_where_values_come_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDSTREAM_KAFKA_PORT", "19092")
    lines = runner.invoke(cli.app, ["config", "show"]).stdout.splitlines()
    (line,) = [line for line in lines if line.strip().startswith("kafka_port")]
    assert line.split() == ["kafka_port", "19092", "environment"]


def test_the_demo_is_imported_when_it_is_called() -> None:
    assert "--malformed" in runner.invoke(cli.app, ["demo", "--help"], env={"COLUMNS": "200"}).stdout


# Commands of other parts...


def test_a_sibling_brings_a_command_or_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    group = typer.Typer()

    @group.command("one")
    def first() -> None:
        typer.echo("one of a group")

    @group.command("two")
    def two() -> None:
        typer.echo("two of a group")

    def alone() -> None:
        typer.echo("a command")

    monkeypatch.setitem(sys.modules, "sibling_of_test", SimpleNamespace(group=group, alone=alone))
    app = typer.Typer()
    entry_points = [EntryPoint(name, f"sibling_of_test:{name}", commands.GROUP) for name in ("group", "alone")]
    commands.add_sibling_commands(app, entry_points)
    assert runner.invoke(app, ["group", "two"]).stdout == "two of a group\n"
    assert runner.invoke(app, ["alone"]).stdout == "a command\n"


def test_a_sibling_that_is_not_installed_names_its_extra() -> None:
    app = typer.Typer()
    app.command("other")(lambda: None)
    commands.add_sibling_commands(app, [EntryPoint("train", "fraudstream.ml.no_such_module:train", commands.GROUP)])
    assert runner.invoke(app, ["other"]).exit_code == 0
    with pytest.raises(ConfigurationError, match=r"fraudstream\[ml\]"):
        runner.invoke(app, ["train", "--algorithm", "gbt"], catch_exceptions=False)


def test_a_command_of_a_clone_says_so_where_a_wheel_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wheel names the benchmarks' command and does not hold it."""
    monkeypatch.setitem(sys.modules, "fraudstream.bench", None)
    monkeypatch.delitem(sys.modules, "fraudstream.bench.cli", raising=False)
    app = typer.Typer()
    app.command("other")(lambda: None)
    commands.add_sibling_commands(app, [EntryPoint("bench", "fraudstream.bench.cli:app", commands.GROUP)])
    assert "Needs a clone" in runner.invoke(app, ["--help"]).stdout
    with pytest.raises(ConfigurationError, match="uv run fraudstream bench"):
        runner.invoke(app, ["bench", "latency", "--smoke"], catch_exceptions=False)


# Running...


def test_up_in_the_background_then_status_then_down(gate: Path) -> None:
    started = runner.invoke(cli.app, ["up", "-d"], catch_exceptions=False)
    assert started.exit_code == 0
    assert "all parts ready" in started.stderr
    shown = runner.invoke(cli.app, ["status", "--json"])
    report = json.loads(shown.stdout)
    assert shown.exit_code == 0
    assert report["all_ready"] is True
    assert [part["name"] for part in report["parts"]] == ["kafka", "stream"]
    assert all(part["memory_bytes"] > 1_000_000 for part in report["parts"])
    table = runner.invoke(cli.app, ["status"]).stdout
    assert "lag –" in table
    again = command("up", "-d")
    assert again.returncode == 1
    assert f"process {report['supervisor_pid']}" in again.stderr
    assert runner.invoke(cli.app, ["down"]).exit_code == 0
    assert runner.invoke(cli.app, ["status", "--json"]).exit_code == 1
    assert "nothing was running" in runner.invoke(cli.app, ["down"]).stderr


def test_up_in_the_background_fails_when_a_part_keeps_dying(gate: Path) -> None:
    gate.unlink()
    with pytest.raises(RuntimePartError, match=r"stream does not get ready: exit status 4.*fraudstream logs stream"):
        runner.invoke(cli.app, ["up", "-d"], catch_exceptions=False)
    assert lifecycle.is_running(load_settings())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_up_in_the_foreground_stops_everything_when_interrupted(gate: Path, number: signal.Signals) -> None:
    up = subprocess.Popen([sys.executable, "-c", COMMAND_WITH_FAKES, "up"], stderr=subprocess.PIPE, text=True)
    await_ready_file()
    state = read_state(load_settings().data_dir)
    assert state is not None
    up.send_signal(number)
    _, said = up.communicate(timeout=WAIT_SECONDS)
    assert up.returncode == 0
    assert all(not process.same_process(part.pid, part.create_time) for part in state.parts.values())
    steps = [line.split()[:2] for line in said.splitlines()]
    assert steps.count(["kafka", "ready"]) == 1
    assert sorted(steps[-2:]) == [["kafka", "stopped"], ["stream", "stopped"]]


def test_down_ends_what_a_killed_supervisor_left(gate: Path) -> None:
    settings = load_settings()
    pid = lifecycle.start_detached(settings)
    await_ready_file()
    os.kill(pid, signal.SIGKILL)
    assert process.await_condition(lambda: not lifecycle.is_running(settings), WAIT_SECONDS)
    lifecycle.stop(settings)
    assert read_state(settings.data_dir) is None


def test_the_reason_why_a_background_start_fails_reaches_its_caller(
    gate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = "import sys; sys.stderr.write('noise\\nfraudstream: Port 9092 is taken.\\n'); sys.exit(1)"
    monkeypatch.setattr(lifecycle, "SUPERVISOR_COMMAND", (sys.executable, "-c", script))
    with pytest.raises(RuntimePartError, match=r"^Port 9092 is taken\.$"):
        lifecycle.start_detached(load_settings())


def test_waiting_ends_when_the_supervisor_does(gate: Path) -> None:
    with pytest.raises(RuntimePartError, match="supervisor ended"):
        lifecycle.await_ready(load_settings(), (), lambda _: None)


def test_other_profiles_have_no_parts_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDSTREAM_PROFILE", "compose")
    done = command("up")
    assert done.returncode == 2
    assert "docker compose up" in done.stderr


def test_parts_wait_for_each_other_in_an_order_that_can_be_kept(tmp_path: Path) -> None:
    built = parts.local_parts(load_settings(data_dir=tmp_path, kafka_port=19092, scoring="remote"))
    assert [part.name for part in in_start_order(built)] == list(parts.PART_NAMES)
    # With the model in the stream job no scored event waits for the service.
    embedded = parts.local_parts(load_settings(data_dir=tmp_path))
    names = [part.name for part in in_start_order(embedded)]
    assert set(names) == set(parts.PART_NAMES)
    assert names.index("stream") < names.index("scoring")
    ports = [port for part in built for port in part.ports]
    assert 19092 in ports
    assert len(ports) == len(set(ports)) == 6
    assert all(Path(dict(part.env).get("FRAUDSTREAM_DATA_DIR", "/")).is_absolute() for part in built)


def test_further_parts_are_added_on_request_and_no_others(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, kafka_port=19092, ingest_port=18088, with_parts="ingest, ingest")
    built = parts.local_parts(settings)
    assert [part.name for part in built] == [*(part.name for part in built if part.name != "ingest"), "ingest"]
    assert (built[-1].ports, built[-1].after) == ((18088,), ("kafka",))
    with pytest.raises(ConfigurationError, match=r"names 'mqtt'\. Parts that can be added are: .*ingest"):
        parts.local_parts(load_settings(data_dir=tmp_path, with_parts="mqtt"))


def test_children_get_the_settings_that_their_parent_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDSTREAM_SCORING_KEY", "secret-of-the-test")
    ours = load_settings(data_dir=tmp_path, kafka_port=19092)
    monkeypatch.delenv("FRAUDSTREAM_SCORING_KEY")
    for name, value in parts.settings_environment(ours).items():
        monkeypatch.setenv(name, value)
    theirs: Settings = load_settings()
    assert theirs == ours
    assert theirs.kafka_bootstrap_servers == "127.0.0.1:19092"


def test_children_find_files_and_folders_wherever_they_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    named = {"tls_certificate": "server.pem", "kafka_ssl_cafile": "ca.pem", "ingest_jwks": "keys/jwks.json"}
    ours = load_settings(data_dir="data", project="own", **named)
    theirs = parts.settings_environment(ours)
    for name, value in (named | {"data_dir": "data", "project": "own"}).items():
        assert theirs[f"FRAUDSTREAM_{name.upper()}"] == str(tmp_path / value)
    assert parts.settings_environment(load_settings(project="cards"))["FRAUDSTREAM_PROJECT"] == "cards"


def test_mlflow_reads_the_variables_that_it_is_started_with(tmp_path: Path) -> None:
    # The server's own constants, read without importing the server.
    package = importlib.util.find_spec("mlflow")
    assert package is not None
    assert package.origin is not None
    constants: dict[str, Any] = {}
    source = (Path(package.origin).parent / "server" / "constants.py").read_text("utf-8")
    exec(compile(source, "constants", "exec"), constants)  # noqa: S102
    (mlflow,) = [part for part in parts.local_parts(load_settings(data_dir=tmp_path)) if part.name == "mlflow"]
    # Relative to the folder that it runs in.
    assert mlflow.cwd == tmp_path.resolve() / "mlflow"
    database = "sqlite:///mlflow.db"
    assert mlflow.env[constants["BACKEND_STORE_URI_ENV_VAR"]] == database
    assert mlflow.env[constants["REGISTRY_STORE_URI_ENV_VAR"]] == database
    assert mlflow.env[constants["ARTIFACT_ROOT_ENV_VAR"]] == "mlflow-artifacts:/"
    assert mlflow.env[constants["ARTIFACTS_DESTINATION_ENV_VAR"]] == "./artifacts"
    assert mlflow.env[constants["SERVE_ARTIFACTS_ENV_VAR"]] == "true"


# Data and logs...


def test_reset_asks_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data"
    monkeypatch.setenv("FRAUDSTREAM_DATA_DIR", str(folder))
    run_dir(folder).mkdir(parents=True)
    (run_dir(folder) / "lock").touch()
    assert runner.invoke(cli.app, ["reset"], input="n\n").exit_code == 1
    assert folder.exists()
    assert runner.invoke(cli.app, ["reset", "--yes"]).exit_code == 0
    assert not folder.exists()


def test_logs_shows_the_last_lines_of_a_part(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FRAUDSTREAM_DATA_DIR", str(tmp_path))
    log = log_file(tmp_path, "kafka")
    log.parent.mkdir()
    log.write_text("one\ntwo\nthree\n")
    assert runner.invoke(cli.app, ["logs", "kafka", "-n", "2"]).stdout == "two\nthree\n"
    with pytest.raises(RuntimePartError, match=r"'kafak'.*logs of kafka"):
        runner.invoke(cli.app, ["logs", "kafak"], catch_exceptions=False)


def test_following_a_log_survives_its_rotation(tmp_path: Path) -> None:
    log = tmp_path / "part.log"
    log.write_text("old\n")
    assert last_lines(log, 5) == ["old"]
    following = follow_file(log)

    def append(text: str) -> None:
        with log.open("a") as stream:
            stream.write(text)

    # The first read happens at the end of the file, which the generator finds when it is first asked.
    writer = threading.Timer(0.3, append, ["appended\n"])
    writer.start()
    assert next(following) == "appended\n"
    log.rename(tmp_path / "part.log.1")
    log.write_text("after rotation\n")
    assert next(following) == "after rotation\n"


def test_a_change_of_a_part_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    cli.show_change(PartState("kafka", "ready", 1, 1.0, [9092], time.time() - 2))
    cli.show_change(PartState("stream", "restarting", restarts=1, last_exit="killed by SIGKILL"))
    ready, restarting = capsys.readouterr().err.splitlines()
    assert ready.split()[:4] == ["kafka", "ready", "on", "9092"]
    assert restarting.endswith("restarting: killed by SIGKILL")


def test_topics_need_a_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("FRAUDSTREAM_KAFKA_PORT", str(nobody.getsockname()[1]))
        done = subprocess.run(impatient("topics", "create"), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert "does not answer" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("words", ["--help", "status", "status --json", "config show", "config show --json", "doctor"])
def test_a_command_whose_output_is_not_taken_fails_with_one_line(words: str) -> None:
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "fraudstream.runtime", *words.split()]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    lines = done.stderr.decode().splitlines()
    assert (done.returncode, len(lines)) == (1, 1), lines
    assert lines[0].startswith("fraudstream: The output cannot be written to <stdout> (No space left on device).")
