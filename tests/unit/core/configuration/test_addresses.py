"""An address that no client can read is refused at the start, by its variable's name and without its secrets."""

from __future__ import annotations

from typing import Any

import pytest

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.errors import ConfigurationError
from tests.azure import AZURE, CONNECTION_STRING, SAS_KEY

# A password in the place of an address: one word.
WORD = "qX7pL9zRwN4v"


@pytest.mark.parametrize(
    "text",
    ["127.0.0.1:9092", "one:1, two:2,", "[::1]:9092", "[fe80::1%eth0]:9092", "<namespace>.servicebus.windows.net:9093"],
)
def test_brokers_that_can_be_read(text: str) -> None:
    assert load_settings(kafka_bootstrap_servers=text).kafka_bootstrap_servers == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("kafka", "holds an entry without a port. Write host:port"),
        ("one:1,kafka,two:2", "holds an entry (2 of 3) without a port. Write host:port"),
        ("kafka:", "holds an entry that is no host:port. Write host:port"),
        (":9092", "that is no host:port"),
        ("kafka:many", "that is no host:port"),
        ("kafka:0", "with the port 0"),
        ("kafka:70000", "holds 'kafka:70000' with the port 70000. A port is a number"),
        ("[::1]:70000", "holds an entry with the port 70000. A port is a number"),
        ("kafka:\u0663", "that is no host:port"),
        (f"kafka:{'9' * 5_000}", "that is no host:port"),
        ("http://kafka:9092", "holds 'http://kafka:9092' with a scheme"),
        ("::1:9092", "Write an IPv6 address as [::1]:9092"),
        ("one:1;two:2", "holds an entry with several colons"),
        ("one:1 two:2", "holds an entry with several colons"),
        ("ka fka:9092", "holds an entry that is no host:port"),
        (",,", "names no broker"),
        (CONNECTION_STRING, "holds an entry with a scheme"),
        (WORD, "holds an entry without a port"),
        (f"ana:{WORD}", "that is no host:port"),
        (f"one:1,{WORD}:,", "an entry (2 of 2) that is no host:port"),
        (f"user:{SAS_KEY}@host:9092", "several colons"),
    ],
)
def test_brokers_that_cannot_be_read(text: str, says: str) -> None:
    assert_refused("kafka_bootstrap_servers", text, says)


@pytest.mark.parametrize(
    "text",
    [
        AZURE["mongo_uri"],
        "mongodb://127.0.0.1:27017/?retryWrites=false",
        "mongodb://one:1,two:2,[::1]:3/db?replicaSet=x",
        "mongodb+srv://user:word@cluster.example/?tls=true",
        "mongodb://<account>:<key>@<account>.mongo.cosmos.azure.com:10255/?ssl=true&appName=@<account>@",
    ],
)
def test_stores_that_can_be_read(text: str) -> None:
    assert load_settings(mongo_uri=text).mongo_uri.get_secret_value() == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("host:27017", "does not begin with mongodb://"),
        ("http://host:27017", "does not begin with mongodb://"),
        ("mongodb://", "no host or port can be read"),
        ("mongodb://host:many", "no host or port can be read"),
        ("mongodb://host:70000", "a port is no number"),
        (f"mongodb://host:{'9' * 5_000}", "no host or port can be read"),
        ("mongodb://::1:27017", "no host or port can be read"),
        ("mongodb://user:hu/sh@host", "a character that ends them"),
        ("mongodb://user:hu@sh@host", "a character that ends them"),
        ("mongodb://user:hu:sh@host", "a character that ends them"),
        ("mongodb://user:hu%sh@host", "a % that escapes nothing"),
        ("mongodb://user:hu sh@host", "white space"),
        ("mongodb+srv://cluster.example:27017", "one host without a port"),
    ],
)
def test_stores_that_cannot_be_read(text: str, says: str) -> None:
    assert_refused("mongo_uri", text, says)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("scoring_url", "127.0.0.1:8000", "does not begin with http://"),
        ("scoring_url", "scoring", "does not begin with http://"),
        ("scoring_url", "http://", "names no host"),
        ("scoring_url", "http://host:99999", "its host or port cannot be read"),
        ("scoring_url", "http://[::1", "its host or port cannot be read"),
        ("scoring_url", f"http://user:{SAS_KEY}@host:x", "its host or port cannot be read"),
        ("scoring_url", "http://a b", "white space"),
        ("mlflow_tracking_uri", "127.0.0.1:5000", "has no scheme"),
        ("mlflow_tracking_uri", "http://host:many", "its host or port cannot be read"),
        ("mlflow_url", "ftp://host", "does not begin with http://"),
        ("dashboard_url", "host", "does not begin with http://"),
        ("kafka_oauth_token_url", "login", "does not begin with http://"),
    ],
)
def test_web_addresses_that_cannot_be_read(name: str, text: str, says: str) -> None:
    assert_refused(name, text, says)


@pytest.mark.parametrize("text", ["sqlite:///mlflow.db", "azureml://westeurope.api.azureml.ms/x", "./mlruns", ""])
def test_registries_of_other_kinds_are_taken(text: str) -> None:
    assert load_settings(mlflow_tracking_uri=text).mlflow_tracking_uri == text


def assert_refused(name: str, text: Any, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(**{name: text})
    assert str(caught.value).startswith(f"FRAUDSTREAM_{name.upper()} ")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    for secret in ("hu", SAS_KEY[:8]):
        assert f"{secret}/" not in str(caught.value)
        assert f"{secret}@" not in str(caught.value)
        assert SAS_KEY not in str(caught.value)
        assert WORD not in str(caught.value)
