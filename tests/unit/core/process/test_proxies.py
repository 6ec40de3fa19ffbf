"""Our own parts are asked directly, whatever proxy is set; what leaves the machine goes through it."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import httpx
import pytest
import requests

from fraudstream.core.process import proxies

pytestmark = pytest.mark.timeless

# Made once: to read the system's certificates takes longer than a test.
CERTIFICATES = ssl.create_default_context()
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
    with httpx.Client(verify=CERTIFICATES) as client:
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


@pytest.mark.parametrize(
    "exceptions",
    ["\x7f", "\t", "256.1.1.1", "10.0.0.0/99", "a b@c", "fe80::1%eth0\x7f,fe80::1%é", "*:80", "\udcfc", "\u24df\u200b"],
)
def test_an_exception_that_no_client_reads_keeps_none_from_working(taken: pytest.MonkeyPatch, exceptions: str) -> None:
    take(taken, {"http_proxy": "http://proxy:3128", "no_proxy": exceptions, "FRAUDSTREAM_BIND_HOST": exceptions})
    assert not any(map(through_proxy, OWN))
    assert through_proxy("http://elsewhere.example/")


@pytest.mark.parametrize(
    ("value", "passed"),
    [
        ("proxy:3128", "http://proxy:3128"),
        ("domain\\user:secret@proxy:1", "http://domain%5Cuser:secret@proxy:1"),  # pragma: allowlist secret
        ("http://próxy.example:3128/", "http://xn--prxy-rqa.example:3128"),
        ("HTTP://[2001:DB8::7]:3128", "http://[2001:db8::7]:3128"),
    ],
)
def test_a_proxy_is_passed_on_as_every_client_takes_it(taken: pytest.MonkeyPatch, value: str, passed: str) -> None:
    assert proxies.made({"http_proxy": value})["http_proxy"] == passed
    take(taken, {"http_proxy": value})
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


def test_names_in_env_files_and_profiles_are_asked_directly(taken: pytest.MonkeyPatch, tmp_path: Path) -> None:
    taken.chdir(tmp_path)
    proxy = {"http_proxy": "http://proxy:3128"}
    take(taken, proxy | {"FRAUDSTREAM_PROFILE": "compose"})
    assert not through_proxy("http://mlflow:5000/")
    assert not through_proxy("http://scoring:8000/")

    (tmp_path / ".env").write_text(
        "FRAUDSTREAM_PROFILE=compose\nfraudstream_bind_host=192.168.7.7\n"
        "FRAUDSTREAM_MLFLOW_TRACKING_URI=http://mlhost:5000\n",
        "utf-8",
    )
    take(taken, proxy | {"FRAUDSTREAM_PROFILE": ""})
    assert not through_proxy("http://scoring:8000/")
    assert not through_proxy("http://mlhost:5000/")
    assert not through_proxy("http://192.168.7.7:8000/")
    assert through_proxy("http://mlflow:5000/")

    take(taken, proxy | {"FRAUDSTREAM_PROFILE": "local", "FRAUDSTREAM_MLFLOW_TRACKING_URI": "http://other:5000"})
    assert not through_proxy("http://other:5000/")
    assert through_proxy("http://mlhost:5000/")
    assert through_proxy("http://scoring:8000/")


@pytest.mark.parametrize("profile", ["nowhere", "../profiles/compose", "\udcfc", "x" * 300])
def test_settings_that_cannot_be_read_are_told_elsewhere(
    taken: pytest.MonkeyPatch, tmp_path: Path, profile: str
) -> None:
    taken.chdir(tmp_path)
    (tmp_path / ".env").write_bytes(b"FRAUDSTREAM_BIND_HOST=\xff\xfe\0")
    take(
        taken,
        {"http_proxy": "http://proxy:3128", "FRAUDSTREAM_PROFILE": profile, "FRAUDSTREAM_SCORING_URL": "http://["},
    )
    assert not any(map(through_proxy, OWN))
    assert through_proxy("http://scoring:8000/")


@pytest.mark.parametrize("exceptions", ["*", "corp.example, *", "* ,localhost"])
def test_no_proxy_for_anything_is_what_it_says(taken: pytest.MonkeyPatch, exceptions: str) -> None:
    take(taken, {"http_proxy": "http://proxy:3128", "all_proxy": "http://proxy:3128", "no_proxy": exceptions})
    assert not any(map(through_proxy, (*OWN, "http://elsewhere.example/", "https://elsewhere.example/")))


def test_exceptions_of_the_caller_stay(taken: pytest.MonkeyPatch) -> None:
    take(taken, {"http_proxy": "http://proxy:3128", "NO_PROXY": "corp.example,10.1.2.3"})
    assert not through_proxy("http://a.corp.example/")
    assert not through_proxy("http://10.1.2.3/")


@pytest.mark.parametrize(
    "value",
    [
        *("socks4://proxy:1080", "ftp://proxy", "http://[::1", "http://proxy:port", "http://", "://"),
        *("http://256.1.1.1:80", "1.2.3.04:80", "http://pro\txy:1", "http://proxy:1\x7f", "http://u:\udcfc@proxy:1"),
        *(
            "http://\u24df\u200b:1",
            "http://xn--é:1",
            "http://.proxy:1",
            "http://a b:1",
            "http://[v1.x]:1",
            "http://[::1]x:1",
        ),
    ],
)
def test_an_address_that_no_client_takes_is_left_out(taken: pytest.MonkeyPatch, value: str) -> None:
    assert proxies.problem(value)
    assert proxies.made({"all_proxy": value, "http_proxy": value}) == {}
    assert proxies.problem("http://user:secret@proxy:1") == ""  # pragma: allowlist secret
    assert not set(EVERY_NAME) & set(os.environ)
