"""The service as its clients see it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version as package_version
from typing import Any

import orjson
import pytest
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.contract.event import AMOUNT, FEATURES
from fraudstream.core.errors import RegistryUnavailable
from fraudstream.scoring import app as app_module
from tests.events import GOOD, named, renamed

ClientFactory = Callable[..., TestClient]

ROWS = [GOOD | {AMOUNT: amount} for amount in (100.0, 900.0, 500.0)]
TABLE: dict[str, Any] = {
    "columns": list(FEATURES),
    "index": [0, 1, 2],
    "data": [[row[name] for name in FEATURES] for row in ROWS],
}
RECORDS = [
    {"prediction": 0, "score": 0.1, "threshold": 0.5, "model_version": "3", "reasons": []},
    {
        "prediction": 1,
        "score": 0.9,
        "threshold": 0.5,
        "model_version": "3",
        "reasons": [{"field": AMOUNT, "contribution": 900.0}],
    },
    {
        "prediction": 1,
        "score": 0.5,
        "threshold": 0.5,
        "model_version": "3",
        "reasons": [{"field": AMOUNT, "contribution": 500.0}],
    },
]
VERSION = "X-Fraudstream-Model-Version"


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end, "it did not come about within 10 s"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("path", "content", "answer"),
    [
        ("/score", {"data": ROWS}, [0, 1, 1]),
        ("/score", {"input_data": TABLE}, RECORDS),
        ("/score", {"Inputs": {"WebServiceInput0": ROWS}}, {"Results": {"WebServiceOutput0": RECORDS}}),
        ("/score", {"dataframe_split": TABLE}, {"predictions": RECORDS}),
        ("/score", {"dataframe_records": ROWS}, {"predictions": RECORDS}),
        ("/invocations", {"dataframe_split": TABLE}, {"predictions": RECORDS}),
        ("/invocations", {"dataframe_records": ROWS}, {"predictions": RECORDS}),
        ("/score", {"data": []}, []),
        ("/score", {"input_data": TABLE | {"data": []}}, []),
        ("/score", {"Inputs": {"WebServiceInput0": []}}, {"Results": {"WebServiceOutput0": []}}),
        ("/invocations", {"dataframe_records": []}, {"predictions": []}),
    ],
)
def test_every_shape_is_answered_in_its_own_form(client: TestClient, path: str, content: Any, answer: Any) -> None:
    response = client.post(path, json=content)
    assert (response.status_code, response.json()) == (200, answer)
    assert response.headers[VERSION] == "3"
    assert response.headers["content-type"] == "application/json"


def test_a_body_large_enough_for_a_thread_gets_the_same_records(client: TestClient) -> None:
    rows = ROWS * 400
    content = orjson.dumps({"dataframe_records": rows})
    assert len(content) > app_module._MOST_INLINE_BYTES
    assert client.post("/score", content=content).json() == {"predictions": RECORDS * 400}
    broken = orjson.dumps({"data": [*rows, GOOD | renamed({"income": "much"})]})
    response = client.post("/score", content=broken)
    assert response.status_code == 400
    assert response.json() == {"error": f'row 1200: {named("income")}: expected a finite number, got "much".'}


@pytest.mark.parametrize("content", [b"{", b"", b"\xff", b"null", b'{"rows": []}'])
def test_an_unreadable_body_is_refused(client: TestClient, content: bytes) -> None:
    response = client.post("/score", content=content)
    assert response.status_code == 400
    assert list(response.json()) == ["error"]


def test_invocations_takes_mlflows_shapes_only(client: TestClient) -> None:
    assert client.post("/invocations", json={"data": ROWS}).status_code == 400


@pytest.mark.parametrize(
    ("sent", "status"),
    [("text/csv", 415), ("text/csv; charset=utf-8", 415), ("application/json; charset=utf-8", 200), ("", 200)],
)
def test_invocations_takes_json_only(client: TestClient, sent: str, status: int) -> None:
    content = orjson.dumps({"dataframe_records": ROWS})
    response = client.post("/invocations", content=content, headers={"Content-Type": sent})
    assert response.status_code == status


@pytest.mark.parametrize("in_pieces", [False, True])
def test_a_body_over_the_limit_is_refused(client: TestClient, monkeypatch: pytest.MonkeyPatch, in_pieces: bool) -> None:
    monkeypatch.setattr(app_module, "MOST_BODY_BYTES", 1000)

    def pieces() -> Iterator[bytes]:
        for _ in range(11):
            yield b" " * 100

    response = client.post("/score", content=pieces() if in_pieces else b" " * 1001)
    assert response.status_code == 413
    assert "1000 bytes" in response.json()["error"]
    assert client.post("/score", content=b" " * 1000).status_code == 400


def test_the_limit_is_32_mebibytes() -> None:
    assert app_module.MOST_BODY_BYTES == 33_554_432


def test_an_unknown_address_is_told_in_the_same_form(client: TestClient) -> None:
    unknown, wrong = client.get("/predict"), client.get("/score")
    assert (unknown.status_code, wrong.status_code) == (404, 405)
    assert "/docs" in unknown.json()["error"]
    assert wrong.headers["allow"] == "POST"


def test_without_a_champion_requests_are_told_why(client_of: ClientFactory, champion: Any) -> None:
    loaded, champion.loaded = champion.loaded, None
    client = client_of(champion)
    wait_until(lambda: champion.looks >= 2)
    for response in (client.post("/score", json={"data": ROWS}), client.get("/ping")):
        assert response.status_code == 503
        assert "has no champion yet" in response.json()["error"]
    assert client.post("/score", json={"data": ROWS}).headers["retry-after"] == "1"
    health = client.get("/health")
    assert health.status_code == 503
    assert health.json()["status"] == "no champion"
    assert "fraudstream_scoring_champion_info{" not in client.get("/metrics").text
    champion.loaded = loaded
    assert client.post("/score", json={"data": ROWS}).json() == [0, 1, 1]


def test_a_champion_outlives_a_registry_that_is_away(client_of: ClientFactory, champion: Any) -> None:
    champion.failure = RegistryUnavailable("MLflow at http://nowhere does not answer.")
    client = client_of(champion)
    wait_until(lambda: champion.looks >= 3)
    assert client.post("/score", json={"data": ROWS}).status_code == 200


@pytest.mark.parametrize("event", ["no_champion", "champion_not_refreshed"])
def test_the_champion_is_followed_whatever_is_raised_and_an_outage_warned_of_once(champion: Any, event: str) -> None:
    champion.look()
    if event == "no_champion":
        champion.loaded = None
    with capture_logs() as logs:
        for failure in (RuntimeError("0x1"), RuntimeError("0x2"), RegistryUnavailable("away"), RuntimeError("0x3")):
            champion.failure = failure
            champion.look()
    assert [entry["event"] for entry in logs] == [event] * 4
    assert [entry["log_level"] for entry in logs] == ["warning", "debug", "warning", "warning"]
    assert [entry["reason"] for entry in logs] == [
        "The champion cannot be looked up (RuntimeError: 0x1).",
        "The champion cannot be looked up (RuntimeError: 0x2).",
        "away",
        "The champion cannot be looked up (RuntimeError: 0x3).",
    ]


def test_the_champion_is_not_followed_any_more_after_the_application(champion: Any) -> None:
    def followers() -> int:
        return sum(thread.name == "champion-follower" for thread in threading.enumerate())

    before = followers()
    with TestClient(app_module.create_app(champion, load_settings())):
        assert followers() == before + 1
    assert followers() == before


def test_a_model_that_fails_is_answered_by_500_and_logged(client: TestClient, champion: Any) -> None:
    champion.loaded.model.failure = ValueError("no such tree")
    with capture_logs() as logs:
        response = client.post("/score", json={"data": ROWS})
    assert response.status_code == 500
    assert "Version 3 of 'fraud' failed (ValueError: no such tree)" in response.json()["error"]
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["scoring_failed"]


def test_neither_answers_nor_probes_repeat_a_secret(client_of: ClientFactory, champion: Any) -> None:
    text = f"{'x' * 193}qX7pL9zRwN4v\x1b[2J"
    client = client_of(champion, scoring_key="qX7pL9zRwN4v")
    champion.loaded.model.failure = ValueError(text)
    failed = client.post("/score", json={"data": ROWS}, headers={"Authorization": "Bearer qX7pL9zRwN4v"}).text
    assert "failed (ValueError: xxx" in failed
    champion.loaded = None
    for failure in (RuntimeError(text), RegistryUnavailable(text)):
        champion.failure = failure
        looks = champion.looks
        wait_until(lambda seen=looks: champion.looks >= seen + 2)
        failed += client.get("/health").text + client.get("/ping").text
    assert failed.count("xxx") >= 5
    assert "qX7" not in failed
    assert "\\u001b" not in failed


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": "Basic s3cret"}, 401),
        ({"Authorization": "s3cret"}, 401),
        ({"Authorization": b"Bearer s3cr\xe9t"}, 401),
        ({"Authorization": "Bearer s3cret"}, 200),
        ({"Authorization": "bearer s3cret"}, 200),
    ],
)
@pytest.mark.parity("scoring over HTTP with a bearer key", "local")
def test_the_key_is_asked_for(client_of: ClientFactory, champion: Any, sent: Any, status: int) -> None:
    client = client_of(champion, scoring_key="s3cret")
    for path in ("/score", "/invocations"):
        response = client.post(path, json={"dataframe_records": ROWS}, headers=sent)
        assert response.status_code == status
        assert ("www-authenticate" in response.headers) == (status == 401)
        assert "s3cret" not in response.text


def test_probes_need_no_key(client_of: ClientFactory, champion: Any) -> None:
    client = client_of(champion, scoring_key="s3cret")
    assert {client.get(path).status_code for path in ("/health", "/ping", "/version", "/metrics")} == {200}
    assert {client.get(path).status_code for path in ("/docs", "/openapi.json", "/elsewhere")} == {401}


def test_the_probes_tell_what_is_served(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok", "model_version": "3", "model_name": "fraud"}
    assert client.get("/ping").status_code == 200
    assert client.get("/version").text == package_version("mlflow")


def test_metrics_count_requests_rows_and_the_champion(client: TestClient) -> None:
    client.post("/score", json={"data": ROWS})
    client.post("/score", content=b"{")
    client.get("/no/such/address")
    lines = client.get("/metrics").text.splitlines()
    assert 'fraudstream_scoring_requests_total{endpoint="/score",status="200"} 1.0' in lines
    assert 'fraudstream_scoring_requests_total{endpoint="/score",status="400"} 1.0' in lines
    assert 'fraudstream_scoring_requests_total{endpoint="other",status="404"} 1.0' in lines
    assert 'fraudstream_scoring_rows_total{endpoint="/score"} 3.0' in lines
    assert 'fraudstream_scoring_alerts_total{endpoint="/score"} 2.0' in lines
    assert 'fraudstream_scoring_request_seconds_count{endpoint="/score"} 2.0' in lines
    assert 'fraudstream_scoring_champion_info{model_name="fraud",model_version="3"} 1.0' in lines


def test_the_documented_examples_are_valid_requests(client: TestClient) -> None:
    assert client.get("/docs").status_code == 200
    paths = client.get("/openapi.json").json()["paths"]
    shapes = []
    for path in ("/score", "/invocations"):
        operation = paths[path]["post"]
        answers = operation["responses"]["200"]["content"]["application/json"]["examples"]
        for name, example in operation["requestBody"]["content"]["application/json"]["examples"].items():
            response = client.post(path, json=example["value"])
            assert response.status_code == 200, response.text
            assert type(response.json()) is type(answers[name]["value"])
            shapes.append(name)
    assert len(shapes) == 7


def test_an_answer_is_of_one_version_while_champions_are_swapped(
    client: TestClient, champion: Any, make_version: Callable[..., Any]
) -> None:
    """Version n adds n to each score and has the threshold n: a mixture of two would show."""
    versions = [make_version(number, offset=float(number), threshold=float(number)) for number in range(10, 14)]
    champion.loaded = versions[0]
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            for loaded in versions:
                champion.loaded = loaded
                time.sleep(0.0005)

    def ask(rows: int) -> str:
        response = client.post("/score", json={"input_data": TABLE | {"data": TABLE["data"] * rows}})
        number: str = response.headers[VERSION]
        for record in response.json():
            assert record["model_version"] == number
            assert record["threshold"] == float(number)
            assert int(record["score"]) == int(number)
            assert record["prediction"] == 1
        return number

    swapper = threading.Thread(target=swap)
    swapper.start()
    try:
        with ThreadPoolExecutor(4) as pool:
            seen = set(pool.map(ask, [1, 200] * 60))
    finally:
        stop.set()
        swapper.join()
    assert len(seen) > 1


@pytest.mark.parametrize("path", ["/score", "/invocations"])
def test_no_body_is_an_error_of_ours(client: TestClient, path: str) -> None:
    deep = b"[" * 600 + b"]" * 600
    row = orjson.dumps({name: GOOD[name] for name in FEATURES})
    for odd in (deep, b"1e400", b"1e39", b"NaN", b"-0", b"9" * 400, b"true", b'"\\ud800"', b"\xff", b'"\x1b"', b"{}"):
        for key in (b"data", b"dataframe_records"):
            content = b'{"' + key + b'": [' + row.replace(b"12.5", odd) + b"]}"
            answer = client.post(path, content=content, headers={"Content-Type": "application/json"})
            assert answer.status_code in (200, 400), (odd[:20], answer.text)
            answer.json()
            assert not set(answer.text) & {"\x1b", "\x9b", "\u202e"}
