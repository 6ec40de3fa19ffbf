"""What the endpoints that speak HTTP cannot read is counted, and a rehearsal with such a count has not passed."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.testclient import TestClient

from fraudstream.cloud.rehearsal import environment
from fraudstream.cloud.rehearsal.azureml import online_endpoint
from fraudstream.cloud.rehearsal.endpoints import Endpoints
from fraudstream.cloud.rehearsal.environment import Keys, Plan, Ports
from fraudstream.cloud.rehearsal.faults import Schedule
from fraudstream.cloud.rehearsal.net import certificates
from fraudstream.cloud.rehearsal.outcome import Outcome, account_for
from fraudstream.runtime.accounting import Summary

PLAN = Plan(events=5)


@pytest.fixture(scope="module")
def folder_and_tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, certificates.Certificates]:
    folder = tmp_path_factory.mktemp("rehearsal")
    return folder, certificates.create(folder / "tls")


@pytest.fixture
def endpoints(folder_and_tls: tuple[Path, certificates.Certificates]) -> Endpoints:
    folder, pairs = folder_and_tls
    return Endpoints(PLAN, Keys.new(), Ports.free(), pairs, environment.settings_behind(folder), 9)


@pytest.fixture
def scoring(endpoints: Endpoints) -> Iterator[TestClient]:
    headers = {"Authorization": f"Bearer {endpoints.online.deployment.key}"}
    with TestClient(endpoints.online.application(), headers=headers, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def sign_in(endpoints: Endpoints) -> Iterator[TestClient]:
    with TestClient(endpoints.identity.application(), raise_server_exceptions=False) as client:
        yield client


def outcome(endpoints: Endpoints) -> Outcome:
    """Of a run in which everything else went well."""
    summary = Summary(5, 5, 0, 5, 0, 0, 1.0, 1.0, 1.0, 1.0)
    return account_for(PLAN, summary, {"refused": 0, "seconds": 1.0}, endpoints, Schedule([]), 1.0)


def test_a_run_in_which_all_was_read_passes(endpoints: Endpoints, sign_in: TestClient) -> None:
    keys = endpoints.identity
    known = b64encode(f"{keys.client_id}:{keys.client_secret}".encode()).decode()
    assert sign_in.post("/oauth2/v2.0/token", headers={"Authorization": f"Basic {known}"}).status_code == 200
    assert sign_in.get("/msi/token", headers={"X-Identity-Header": keys.header}).status_code == 200
    assert outcome(endpoints).passed


@pytest.mark.parametrize("data", ["5", "null", "{}", '"rows"', "true"])
def test_data_that_is_no_table_is_the_scoring_scripts_error(
    endpoints: Endpoints, scoring: TestClient, data: str
) -> None:
    answer = scoring.post("/score", content=f'{{"input_data":{{"columns":[],"index":[],"data":{data}}}}}')
    assert answer.status_code == 424
    assert "no list of rows" in answer.json()["error"]
    assert outcome(endpoints).broken_rules == ["ML001"]
    assert not outcome(endpoints).passed


def test_a_request_that_the_endpoint_fails_on_is_counted(
    endpoints: Endpoints, scoring: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_body: bytes) -> None:
        raise KeyError("rows")

    monkeypatch.setattr(online_endpoint, "body_problem", fails)
    assert scoring.post("/score", content=b"{}").status_code == 400
    assert outcome(endpoints).unread == {"scoring request": 1}
    assert not outcome(endpoints).passed


def test_an_answer_that_cannot_be_decoded_is_counted(
    endpoints: Endpoints, scoring: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def undecodable(*_: Any, **__: Any) -> httpx.Response:
        raise httpx.DecodingError("no gzip")

    monkeypatch.setattr(endpoints.online._behind, "post", undecodable)
    assert scoring.post("/score", content=b'{"input_data":{"columns":[],"index":[],"data":[]}}').status_code == 400
    assert outcome(endpoints).unread == {"scoring request": 1}


@pytest.mark.parametrize("credentials", ["a", b64encode(b"\xff\xfe").decode(), "\xe9"])
def test_credentials_that_are_none_are_counted(endpoints: Endpoints, sign_in: TestClient, credentials: str) -> None:
    sent = f"Basic {credentials}".encode("latin-1")
    answer = sign_in.post("/oauth2/v2.0/token", headers={b"Authorization": sent})
    assert answer.status_code == 400
    assert outcome(endpoints).unread == {"token request": 1}
    assert not outcome(endpoints).passed


def test_a_header_of_other_characters_is_a_wrong_one(endpoints: Endpoints, sign_in: TestClient) -> None:
    answer = sign_in.get("/msi/token", headers={b"X-Identity-Header": b"\xe9"})
    assert (answer.status_code, endpoints.identity.refused) == (401, 1)
    assert outcome(endpoints).unread == {}


def test_what_the_registrys_endpoint_fails_on_is_counted(endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch) -> None:
    async def behind(*_: Any, **__: Any) -> httpx.Response:
        raise httpx.DecodingError("no gzip")

    monkeypatch.setattr(endpoints.registry._behind, "request", behind)
    with TestClient(endpoints.registry.application(), raise_server_exceptions=False) as client:
        assert client.get("/api/2.0/mlflow/registered-models/get").status_code == 400
    assert outcome(endpoints).unread == {"MLflow request": 1}


def test_a_sender_that_is_gone_has_sent_nothing_to_read(
    endpoints: Endpoints, scoring: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(_body: bytes) -> Response:
        raise ClientDisconnect

    monkeypatch.setattr(endpoints.online, "_run_model", gone)
    scoring.post("/score", content=b"{}")
    assert outcome(endpoints).unread == {}
