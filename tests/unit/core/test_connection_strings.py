"""Each mistake in a connection string is told apart, and none of the messages shows the key."""

from __future__ import annotations

import pytest

from fraudstream.core.connection_strings import (
    cosmos_mistakes,
    event_hubs_mistakes,
    parse_event_hubs,
    uri_options,
)
from tests.azure import CONNECTION_STRING, COSMOS_KEY, MONGO_URI, SAS_KEY

HOST = "account.mongo.cosmos.azure.com"


def kinds(text: str, **options: dict[str, str]) -> list[str]:
    found = event_hubs_mistakes(text, **options)
    assert all(SAS_KEY not in one.problem + one.fix for one in found)
    return [one.kind for one in found]


def test_good_strings_have_no_mistakes() -> None:
    assert kinds(CONNECTION_STRING) == []
    assert kinds(CONNECTION_STRING + ";EntityPath=scored") == []
    assert cosmos_mistakes(MONGO_URI) == []
    assert cosmos_mistakes("mongodb+srv://u:p@c.global.mongocluster.cosmos.azure.com/?tls=true") == []


def test_the_parts_of_a_string() -> None:
    parsed = parse_event_hubs(CONNECTION_STRING + ";EntityPath=scored")
    assert (parsed.host, parsed.key_name) == ("space.servicebus.windows.net", "fraudstream-services")
    assert (parsed.key, parsed.entity_path) == (SAS_KEY, "scored")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CONNECTION_STRING[:-2], ["key-truncated"]),
        (CONNECTION_STRING[:-5], ["key-truncated"]),
        (CONNECTION_STRING.replace(SAS_KEY, ""), ["key-missing"]),
        (CONNECTION_STRING.split(";")[0], ["key-name", "key-missing"]),
        (CONNECTION_STRING.replace("servicebus.windows.net", "azure-devices.net"), ["endpoint-host"]),
        (CONNECTION_STRING.removeprefix("Endpoint=sb://"), ["endpoint", "unknown-part"]),
        (f'"{CONNECTION_STRING}"', ["quoted"]),
        ("SharedAccessSignature sr=x&sig=y&se=1", ["sas-token"]),
        (CONNECTION_STRING + ";TransportType=AmqpWebSockets", ["unknown-part"]),
        (CONNECTION_STRING.replace(SAS_KEY, COSMOS_KEY), ["key-length"]),
        ("", ["endpoint", "key-name", "key-missing"]),
    ],
)
def test_each_mistake_is_told_apart(text: str, expected: list[str]) -> None:
    assert kinds(text) == expected


def test_a_hub_s_policy_needs_its_entity_path() -> None:
    text = CONNECTION_STRING.replace("fraudstream-services", "transactions-send")
    policies = {"transactions-send": "transactions"}
    assert kinds(text, hub_policies=policies) == ["entity-path-missing"]
    assert kinds(text + ";EntityPath=transactions", hub_policies=policies) == []


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (MONGO_URI.replace(":10255", ""), ["cosmos-port"]),
        (MONGO_URI.replace(":10255", ":27017"), ["cosmos-port"]),
        (MONGO_URI.replace("mongo.cosmos.azure.com", "documents.azure.com"), ["cosmos-host"]),
        (MONGO_URI.replace("//account:", "//admin:"), ["account"]),
        (f"mongodb://{HOST}:10255/?ssl=true", ["credentials"]),
        (f"mongodb://account:short@{HOST}:10255/", ["key-truncated"]),
        (f"mongodb://account:{COSMOS_KEY.replace('A', '/', 1)}@{HOST}:10255/", ["unescaped"]),
        ("mongodb+srv://c.global.mongocluster.cosmos.azure.com/", ["credentials"]),
    ],
)
def test_each_mistake_in_a_cosmos_address_is_told_apart(uri: str, expected: list[str]) -> None:
    assert [one.kind for one in cosmos_mistakes(uri)] == expected


def test_options_are_read_whatever_their_case() -> None:
    assert uri_options(MONGO_URI)["maxidletimems"] == "120000"
