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
from fraudstream.runtime.demo import command as demo
from fraudstream.runtime.parts import class_archive
from fraudstream.runtime.supervise.state import log_file

runner = CliRunner()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """The settings with which the parts would have been started."""
    found: list[Settings] = []

    def start(settings: Settings) -> int:
        found.append(settings)
        raise FraudstreamError("far enough")

    monkeypatch.setattr(lifecycle, "start_detached", start)
    monkeypatch.setattr(lifecycle, "stop", lambda _: False)
    return found


@pytest.mark.parametrize(
    ("words", "expected"), [([], ("microbatch", "remote")), (["--realtime"], ("realtime", "embedded"))]
)
def test_realtime_chooses_trigger_and_scoring(
    started: list[Settings], words: list[str], expected: tuple[str, str]
) -> None:
    runner.invoke(cli.app, ["demo", *words])
    assert [(one.trigger, one.scoring) for one in started] == [expected]


def test_realtime_is_refused_where_the_parts_run_already(
    started: list[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo.lifecycle, "is_running", lambda _: True)
    done = runner.invoke(cli.app, ["demo", "--realtime"])
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
    assert demo._champion(load_settings(scoring_url=scoring["url"])) == "3"


@pytest.mark.parametrize(
    ("status", "body"), [(503, "{}"), (200, "{}"), (200, "<html>"), (200, "[]"), (200, '{"model_version": null}')]
)
def test_an_answer_without_a_version_is_no_champion(scoring: dict[str, Any], status: int, body: str) -> None:
    scoring |= {"status": status, "body": body}
    assert demo._champion(load_settings(scoring_url=scoring["url"])) == ""


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://[::1"])
def test_a_service_that_cannot_be_asked_has_no_champion(url: str) -> None:
    assert demo._champion(Settings(scoring_url=url)) == ""


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
def chain(monkeypatch: pytest.MonkeyPatch, failed: Settings) -> None:
    """A demo whose parts do what they should, but for one algorithm of the training."""

    @contextmanager
    def training(*_: Any) -> Iterator[Training]:
        yield Training(1)

    monkeypatch.setattr(demo, "load_settings", lambda **_: failed)
    monkeypatch.setattr(demo, "_training", training)
    monkeypatch.setattr(demo, "_champion", lambda _: "1")
    monkeypatch.setattr(demo, "_has_champion", lambda _: True)
    monkeypatch.setattr(demo, "run_command", lambda *_: {"offsets": {"transactions": {"0": [0, 5]}}})
    monkeypatch.setattr(demo, "summarise", lambda *_: SUMMARY)
    for name in ("_publish_history", "_await_history", "end_offsets", "await_processed"):
        monkeypatch.setattr(demo, name, lambda *_: None)
    for name in ("start_detached", "await_ready", "check_failing", "stop"):
        monkeypatch.setattr(lifecycle, name, lambda *_: None)
    monkeypatch.setattr(lifecycle, "is_running", lambda _: False)
    monkeypatch.setattr(lifecycle, "child_environment", lambda _: {})
    monkeypatch.setattr(class_archive, "building", lambda *_, **__: nullcontext())


@pytest.mark.usefixtures("chain")
def test_a_failed_algorithm_does_not_take_the_account_of_the_events() -> None:
    done = runner.invoke(cli.app, ["demo", "--events", "5", "--exit", "--json"])
    assert json.loads(done.stdout) == SUMMARY.to_json()
    assert done.exit_code == 1
    assert isinstance(done.exception, FraudstreamError)
    assert "gbt was not trained: no Java" in str(done.exception)


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


def test_a_failed_algorithm_is_no_failure_where_the_other_has_made_a_champion(
    failed: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Settings] = []

    def registered(settings: Settings) -> str:
        asked.append(settings)
        return "1"

    # The scoring service takes it up at its second look.
    answers = ["", "", "1"]
    monkeypatch.setattr(demo, "_POLL_SECONDS", 0.0)
    monkeypatch.setattr(demo, "champion_version", registered)
    monkeypatch.setattr(demo, "_champion", lambda _: answers.pop(0))
    monkeypatch.setattr(lifecycle, "check_failing", lambda *_: None)
    told: list[str] = []
    training: Any = Training(1)
    demo._await_champion(failed, training, told.append)
    assert told == ["version 1"]
    assert asked == [failed, failed]


@pytest.mark.parametrize("registry", [None, RegistryUnavailable("MLflow does not answer")])
def test_a_training_that_made_no_champion_has_failed(
    failed: Settings, monkeypatch: pytest.MonkeyPatch, registry: Exception | None
) -> None:
    def champion(_: Settings) -> None:
        if registry is not None:
            raise registry

    monkeypatch.setattr(demo, "champion_version", champion)
    training: Any = Training(1)
    with pytest.raises(FraudstreamError, match=r"Training failed: gbt was not trained: no Java"):
        demo._check_training(failed, training)
    for status in (None, 0):
        training = Training(status)
        demo._check_training(failed, training)
