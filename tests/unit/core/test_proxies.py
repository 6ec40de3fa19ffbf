"""Our own parts are asked directly, whatever proxy is set; what leaves the machine goes through it."""

from __future__ import annotations

import os

import httpx
import pytest
import requests

from fraudstream.core import proxies

pytestmark = pytest.mark.timeless

OWN = ("http://169.254.169.254/metadata/", "http://127.0.0.1:5000/", "http://localhost:8000/", "http://[::1]:5000/")
EVERY_NAME = [*proxies.VARIABLES, *(name.upper() for name in proxies.VARIABLES), "no_proxy", "NO_PROXY"]


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in EVERY_NAME:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def take(monkeypatch: pytest.MonkeyPatch, given: dict[str, str]) -> None:
    for name, value in proxies.made(given).items():
        monkeypatch.setenv(name, value)


def through_proxy(address: str) -> bool:
    """Whether the clients in this process ask a proxy for the address; they have to agree."""
    with httpx.Client() as client:
        pool = type(client._transport_for_url(httpx.URL(address))._pool).__name__  # type: ignore[attr-defined]
    chosen = requests.utils.get_environ_proxies(address)
    assert bool(chosen) == (pool != "ConnectionPool"), (address, chosen, pool)
    return bool(chosen)


@pytest.mark.parametrize(
    "given",
    [
        {"http_proxy": "http://proxy:3128"},
        {"HTTP_PROXY": "proxy:3128"},
        {"all_proxy": "socks5://proxy:1080"},
        {"ALL_PROXY": "socks5h://user:p%40ss@proxy:1080"},
        {"all_proxy": "socks://proxy:1080/"},
        {"http_proxy": "http://proxy:1", "HTTP_PROXY": "http://other:1", "https_proxy": "https://proxy:2"},
    ],
)
@pytest.mark.parametrize(
    "exceptions",
    [
        "",
        "[::1]",
        "fe80::/10",
        "*.corp.example,10.0.0.0/8",
        " a.example , b.example",
        "é.example",
        "a:b:c",
        "[",
        "x:80",
    ],
)
def test_our_parts_are_asked_directly(taken: pytest.MonkeyPatch, given: dict[str, str], exceptions: str) -> None:
    take(taken, given | {"no_proxy": exceptions})
    assert not any(map(through_proxy, OWN))
    assert through_proxy("http://elsewhere.example/")


def test_names_that_only_we_know_are_asked_directly(taken: pytest.MonkeyPatch) -> None:
    own = {
        "FRAUDSTREAM_MLFLOW_TRACKING_URI": "http://mlflow:5000",
        "FRAUDSTREAM_SCORING_URL": "https://fraud.westeurope.inference.ml.azure.com",
        "FRAUDSTREAM_BIND_HOST": "192.168.7.7",
    }
    take(taken, own | {"http_proxy": "http://proxy:3128", "https_proxy": "http://proxy:3128"})
    assert not through_proxy("http://mlflow:5000/")
    assert not through_proxy("http://192.168.7.7:8000/")
    assert through_proxy("https://fraud.westeurope.inference.ml.azure.com/score")


def test_exceptions_of_the_caller_stay(taken: pytest.MonkeyPatch) -> None:
    take(taken, {"http_proxy": "http://proxy:3128", "NO_PROXY": "corp.example,10.1.2.3"})
    assert not through_proxy("http://a.corp.example/")
    assert not through_proxy("http://10.1.2.3/")


@pytest.mark.parametrize(
    "value", ["socks4://proxy:1080", "ftp://proxy", "http://[::1", "http://proxy:port", "http://", "://"]
)
def test_an_address_that_no_client_takes_is_left_out(taken: pytest.MonkeyPatch, value: str) -> None:
    assert proxies.problem(value)
    assert proxies.made({"all_proxy": value, "http_proxy": value}) == {}
    assert proxies.problem("http://user:secret@proxy:1") == ""  # pragma: allowlist secret
    assert not set(EVERY_NAME) & set(os.environ)
