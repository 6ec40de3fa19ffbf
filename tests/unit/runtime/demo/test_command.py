"""The demo's own choices; that it runs is shown in tests/system."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fraudstream.core.configuration.settings import Settings, load_settings
from fraudstream.core.errors import AlreadyRunning, FraudstreamError, RegistryUnavailable
from fraudstream.runtime import cli, lifecycle
from fraudstream.runtime.accounting import Summary
from fraudstream.runtime.demo import command, plan, training
from fraudstream.runtime.demo import run as demo
from fraudstream.runtime.parts import class_archive
from fraudstream.runtime.supervise.state import PartState, RunState, log_file, run_dir, write_state

runner = CliRunner()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings with which the parts would have been started."""
    runs: list[Settings] = []

    def start(settings: Settings) -> int:
        runs.append(settings)
        raise FraudstreamError("far enough")

    monkeypatch.setattr(lifecycle, "start_detached", start)
    monkeypatch.setattr(lifecycle, "stop", lambda _: False)
    return runs


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], ("realtime", "embedded")),
        (["--realtime"], ("realtime", "embedded")),
        (["--remote"], ("microbatch", "remote")),
    ],
)
def test_an_option_chooses_trigger_and_scoring(
    started: list[Settings], words: list[str], expected: tuple[str, str]
) -> None:
    runner.invoke(cli.app, ["demo", *words])
    assert [(run.trigger, run.scoring) for run in started] == [expected]


@pytest.mark.parametrize("option", ["--realtime", "--remote"])
def test_such_an_option_is_refused_where_the_parts_run_already(
    started: list[Settings], monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    monkeypatch.setattr(demo.lifecycle, "is_running", lambda _: True)
    done = runner.invoke(cli.app, ["demo", option])
    assert isinstance(done.exception, AlreadyRunning)
    assert "fraudstream down" in str(done.exception)
    assert started == []


@pytest.fixture
def scoring() -> Iterator[dict[str, Any]]:
    """A service at ``url`` that answers with ``status`` and ``body``."""
    answer: dict[str, Any] = {"status": 200, "body": '{"model_version": "3"}'}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answer["status"])
            self.end_headers()
            self.wfile.write(answer["body"].encode())

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        answer["url"] = f"http://127.0.0.1:{server.server_port}"
        yield answer
        server.shutdown()


@pytest.mark.parametrize("proxy", ["http://[::1", "nonsense://x", "http://127.0.0.1:9"])
def test_the_champion_is_asked_for_past_any_proxy(
    scoring: dict[str, Any], proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    assert training.scoring_version(load_settings(scoring="remote", scoring_url=scoring["url"])) == "version 3"


@pytest.mark.parametrize(
    ("status", "body"), [(503, "{}"), (200, "{}"), (200, "<html>"), (200, "[]"), (200, '{"model_version": null}')]
)
def test_an_answer_without_a_version_is_no_champion(scoring: dict[str, Any], status: int, body: str) -> None:
    scoring |= {"status": status, "body": body}
    assert training.scoring_version(load_settings(scoring="remote", scoring_url=scoring["url"])) == ""


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://[::1"])
def test_a_service_that_cannot_be_asked_has_no_champion(url: str) -> None:
    assert training.scoring_version(Settings(scoring="remote", scoring_url=url)) == ""


class Training:
    """A training that has ended with ``status``."""

    def __init__(self, status: int | None) -> None:
        self.returncode = status

    def poll(self) -> int | None:
        return self.returncode

    def wait(self) -> int | None:
        return self.returncode


@pytest.fixture
def failed(tmp_path: Path) -> Settings:
    """Where a training has left the reason of its failure."""
    settings = Settings(data_dir=tmp_path)
    log = log_file(tmp_path, "train")
    log.parent.mkdir(parents=True)
    log.write_text("{}\nfraudstream: gbt was not trained: no Java. xgboost is registered.\n")
    return settings


SUMMARY = Summary(5, 5, 0, 5, 0, 0, 1.0, 1.0, 1.0, 1.0)


@pytest.fixture
def chain(monkeypatch: pytest.MonkeyPatch, failed: Settings) -> list[tuple[str, ...]]:
    """A demo whose parts do what they should, but for the second training; what it ran."""
    ran: list[tuple[str, ...]] = []

    @contextmanager
    def trained(_: Settings, algorithm: str, awaited: int) -> Iterator[Training]:
        ran.append(("train", algorithm, str(awaited)))
        yield Training(0)

    @contextmanager
    def trained_second(*_: Any, **__: Any) -> Iterator[Training]:
        ran.append(("train", "second"))
        yield Training(1)

    @contextmanager
    def running(*words: str, holds: bool = False) -> Iterator[Any]:
        ran.append(words)
        yield Sent(holds)

    monkeypatch.setattr(demo, "load_settings", lambda **_: failed)
    monkeypatch.setattr(demo, "training", trained)
    monkeypatch.setattr(demo, "second_training", trained_second)
    monkeypatch.setattr(demo, "running", running)
    monkeypatch.setattr(demo, "summarise", lambda *_, **__: SUMMARY)
    monkeypatch.setattr(demo.kafka, "create_topics", lambda _: [])
    for name in ("await_champion", "end_offsets", "await_processed"):
        monkeypatch.setattr(demo, name, lambda *_: None)
    for name in ("start_detached", "await_ready", "check_failing", "stop"):
        monkeypatch.setattr(lifecycle, name, lambda *_: None)
    monkeypatch.setattr(lifecycle, "is_running", lambda _: False)
    monkeypatch.setattr(lifecycle, "child_environment", lambda _: {})
    monkeypatch.setattr(class_archive, "building", lambda *_, **__: nullcontext())
    return ran


class Sent:
    """A command that sends events, when it is told where it holds."""

    def __init__(self, holds: bool) -> None:
        self.holds = holds

    def begin(self) -> None:
        self.holds = False

    def result(self) -> Any:
        assert not self.holds
        return {"produced": 20_000, "offsets": {"transactions": {"0": [0, 5]}}}


def test_a_failed_algorithm_does_not_take_the_account_of_the_events(chain: list[tuple[str, ...]]) -> None:
    done = runner.invoke(cli.app, ["demo", "--events", "5", "--exit", "--json"])
    assert json.loads(done.stdout) == SUMMARY.to_json()
    assert done.exit_code == 1
    assert isinstance(done.exception, FraudstreamError)
    assert "gbt was not trained: no Java" in str(done.exception)
    # The first algorithm trains alone, and the second when the events are accounted for.
    assert [words[:2] for words in chain] == [
        ("generate", "history"),
        ("train", "xgboost"),
        ("generate", "live"),
        ("train", "second"),
    ]


@pytest.mark.usefixtures("chain")
def test_a_demo_that_stays_tells_the_failed_algorithm_and_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watched: list[Settings] = []
    monkeypatch.setattr(demo, "_watch", watched.append)
    shown: list[str] = []
    monkeypatch.setattr(demo.console, "print", lambda text, **_: shown.append(str(text)))
    runner.invoke(cli.app, ["demo", "--events", "5"])
    assert len(watched) == 1
    assert any("gbt was not trained: no Java" in line for line in shown)


@pytest.mark.parametrize(("embedded", "answers"), [(False, ["", "", "3"]), (True, ["", "", "the stream job scores"])])
def test_a_failed_training_is_no_failure_where_there_is_a_champion(
    failed: Settings, monkeypatch: pytest.MonkeyPatch, embedded: bool, answers: list[str]
) -> None:
    asked: list[Settings] = []

    def registered(settings: Settings) -> str:
        asked.append(settings)
        return "1"

    # Who scores takes it up at the second look.
    monkeypatch.setattr(training, "_POLL_SECONDS", 0.0)
    monkeypatch.setattr(training, "champion_version", registered)
    monkeypatch.setattr(training, "_served", lambda _: answers.pop(0))
    monkeypatch.setattr(training, "_stream_scores", lambda _: bool(answers.pop(0)))
    monkeypatch.setattr(training, "labelled_estimate", lambda _: 7)
    monkeypatch.setattr(lifecycle, "check_failing", lambda *_: None)
    messages: list[str] = []
    process: Any = Training(1)
    settings = failed.model_copy(update={"scoring": "embedded" if embedded else "remote"})
    training.await_champion(settings, process, messages.append)
    assert messages == ["7 labelled events are stored", "the stream job scores" if embedded else "version 3"]
    assert asked == [settings, settings]


@pytest.mark.parametrize("registry", [None, RegistryUnavailable("MLflow does not answer")])
def test_a_training_that_made_no_champion_has_failed(
    failed: Settings, monkeypatch: pytest.MonkeyPatch, registry: Exception | None
) -> None:
    def champion(_: Settings) -> None:
        if registry is not None:
            raise registry

    monkeypatch.setattr(training, "champion_version", champion)
    process: Any = Training(1)
    with pytest.raises(FraudstreamError, match=r"Training failed: gbt was not trained: no Java"):
        training.check_training(failed, process)
    for status in (None, 0):
        process = Training(status)
        training.check_training(failed, process)


def test_the_stream_job_scores_once_its_query_runs_and_no_earlier_run_is_meant(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, trigger="realtime", scoring="embedded")
    run_dir(tmp_path).mkdir()
    (run_dir(tmp_path) / "stream.ready.running").touch()
    assert training.scoring_version(settings) == ""
    state = RunState(1, {"stream": PartState("stream", state="starting")})
    write_state(tmp_path, state)
    assert training.scoring_version(settings) == ""
    state.parts["stream"].state = "ready"
    write_state(tmp_path, state)
    assert training.scoring_version(settings) == "the stream job scores"


ASKED = plan.Plan(None, 0, None, 0, None, None)
FILE = {"rows": 1_000, "history_rows": 500, "left": 400}


def test_a_file_is_history_first_and_live_then() -> None:
    whole = plan.of_file(ASKED, FILE, leave=True)
    assert (whole.history, whole.events, whole.algorithm) == (500, 400, "xgboost")
    assert whole.live[:5] == ("replay", "--speed", "0", "--rate", "0.0")
    assert whole.live[5:] == ("--malformed", "0", "--count", "400", "--release-labels")
    assert whole.told == "1,000 rows: all 500 of history, then all 400 live ones"
    part = plan.of_file(plan.Plan(100, 30, 5.0, 2, None, "all"), FILE, leave=True)
    assert (part.history, part.events, part.algorithm) == (100, 30, "all")
    assert part.live[:7] == ("replay", "--speed", "0", "--rate", "5.0", "--malformed", "2")
    assert part.told == "1,000 rows: the last 100 of 500 of history, then 30 of 400 live ones"
    endless = plan.of_file(ASKED, FILE, leave=False)
    assert (endless.events, endless.live[4]) == (0, "20.0")
    large = plan.of_file(ASKED, {"rows": 1_400_000, "history_rows": 700_000, "left": 700_000}, leave=True)
    assert (large.history, large.events) == (100_000, 200_000)
    with pytest.raises(FraudstreamError, match="All 500 live rows"):
        plan.of_file(ASKED, FILE | {"left": 0}, leave=True)


def test_a_simulator_makes_as_much_as_is_asked_for() -> None:
    simulation = plan.simulated(plan.Plan(None, 9, None, 1, 3, None), 20_000, leave=False)
    assert (simulation.history, simulation.events, simulation.algorithm) == (20_000, 9, "all")
    assert simulation.live == ("generate", "live", "--rate", "20.0", "--malformed", "1", "--count", "9", "--seed", "3")
    # The live events of a line of time go on with the history's.
    assert simulation.publish == ("generate", "history", "--seed", "3", "--count")
    assert plan.simulated(plan.Plan(None, 9, None, 1, 3, None), 20_000, leave=True).algorithm == "xgboost"


@pytest.mark.parametrize(("given", "kept"), [("payments", "payments"), ("made", "{tmp}/made"), ("nowhere", "nowhere")])
def test_a_projects_folder_is_made_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, kept: str
) -> None:
    (tmp_path / "made").mkdir()
    monkeypatch.chdir(tmp_path)
    assert command.settled(given) == kept.format(tmp=tmp_path)
