"""The demo's own choices; that it runs is shown in tests/system."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from fraudstream.core.errors import AlreadyRunning, FraudstreamError
from fraudstream.core.settings import Settings, load_settings
from fraudstream.runtime import cli, demo, lifecycle

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
