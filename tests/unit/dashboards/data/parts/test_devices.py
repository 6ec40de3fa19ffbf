"""The System page says of the IoT hub whether devices can connect, and how many do."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from fraudstream.core.configuration.settings import Settings, load_settings
from fraudstream.core.errors import UnavailableError
from fraudstream.dashboards.data.parts.devices import devices_status

KEY = base64.b64encode(bytes(32)).decode()
STRING = f"HostName=localhost;SharedAccessKeyName=service;SharedAccessKey={KEY}"


class Answering(ThreadingHTTPServer):
    """A hub of which the test says what it answers: path → status and body."""

    answers: dict[str, tuple[int, Any]]
    signed: set[str]


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        hub: Any = self.server
        path = self.path.partition("?")[0]
        status, body = hub.answers[path]
        if self.headers.get("Authorization", "").startswith("SharedAccessSignature sr=localhost&"):
            hub.signed.add(path)
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub() -> Iterator[Answering]:
    server = Answering(("127.0.0.1", 0), _Handler)
    server.signed = set()
    server.answers = {
        "/health": (200, {"status": "ok"}),
        "/statistics/service": (200, {"connectedDeviceCount": 1_200}),
        "/statistics/devices": (200, {"totalDeviceCount": 3_000}),
    }
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def settings_of(hub: Answering, tmp_path: Path, **changes: Any) -> Settings:
    url = f"http://127.0.0.1:{hub.server_address[1]}"
    return load_settings(iot_hub_url=url, data_dir=tmp_path, **changes)


def test_it_counts_what_is_connected(hub: Answering, tmp_path: Path) -> None:
    settings = settings_of(hub, tmp_path, iot_hub_connection_string=STRING)
    assert devices_status(settings) == ("ok", "1,200 of 3,000 devices are connected", None)
    assert hub.signed == {"/statistics/service", "/statistics/devices"}


def test_without_a_policy_it_says_what_everybody_may_know(hub: Answering, tmp_path: Path) -> None:
    assert devices_status(settings_of(hub, tmp_path)) == ("ok", "devices can connect", None)
    assert hub.signed == set()


def test_a_hub_whose_broker_starts_is_failing(hub: Answering, tmp_path: Path) -> None:
    hub.answers["/health"] = (503, {"status": "the MQTT broker starts"})
    assert devices_status(settings_of(hub, tmp_path)) == ("failing", "the MQTT broker starts", None)


@pytest.mark.parametrize("answer", [(200, {"other": 1}), (401, {"Message": "no"}), (200, []), (200, None)])
def test_a_hub_that_answers_something_else_is_away(hub: Answering, tmp_path: Path, answer: tuple[int, Any]) -> None:
    hub.answers["/statistics/service"] = answer
    with pytest.raises(UnavailableError, match=r"does not answer at http://127\.0\.0\.1"):
        devices_status(settings_of(hub, tmp_path, iot_hub_connection_string=STRING))
