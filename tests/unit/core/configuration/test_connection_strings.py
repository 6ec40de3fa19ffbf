"""Each mistake in a connection string is told apart, and none of the messages shows the key."""

from __future__ import annotations

from urllib.parse import quote_plus

import pytest

from fraudstream.core.configuration.connection_strings import (
    cosmos_account,
    cosmos_mistakes,
    event_hubs_mistakes,
    parse_event_hubs,
    uri_options,
)
from tests.azure import CONNECTION_STRING, COSMOS_KEY, MONGO_URI, SAS_KEY

HOST = "account.mongo.cosmos.azure.com"
NAMED = CONNECTION_STRING.partition("SharedAccessKey=")[0]


def kinds(text: str, **options: dict[str, str]) -> list[str]:
    mistakes = event_hubs_mistakes(text, **options)
    assert all(SAS_KEY not in mistake.problem + mistake.fix for mistake in mistakes)
    return [mistake.kind for mistake in mistakes]


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
    assert [mistake.kind for mistake in cosmos_mistakes(uri)] == expected


def test_options_are_read_whatever_their_case() -> None:
    assert uri_options(MONGO_URI)["maxidletimems"] == "120000"


@pytest.mark.parametrize(
    "text",
    [
        SAS_KEY,
        SAS_KEY.rstrip("="),
        NAMED + SAS_KEY,
        f"{NAMED}{SAS_KEY};EntityPath=scored",
        f"{NAMED}sharedaccesskey={SAS_KEY}",
        f"Endpoint={SAS_KEY};SharedAccessKeyName=Root",
        f"Endpoint=sb://{SAS_KEY}/;SharedAccessKeyName=Root",
        f"Endpoint=sb://space.servicebus.windows.net/;SharedAccessKeyName={SAS_KEY};SharedAccessKey=Root",
        f"{SAS_KEY}=SharedAccessKey",
        "correct=horse;battery",
        "correct horse battery staple",
    ],
)
def test_the_key_is_told_as_a_mistake_and_never_shown_wherever_it_stands(text: str) -> None:
    mistakes = event_hubs_mistakes(text)
    assert mistakes
    sentences = " ".join(mistake.problem + mistake.fix for mistake in mistakes).lower()
    for piece in (SAS_KEY[:8], SAS_KEY[-9:-1], "correct", "battery"):
        assert piece.lower() not in sentences


def test_parts_that_are_none_are_counted_and_named_where_a_name_is_one() -> None:
    (mistake,) = event_hubs_mistakes(CONNECTION_STRING + ";TransportType=AmqpWebSockets")
    assert mistake.problem == "the string has an unknown part: TransportType"
    (two,) = event_hubs_mistakes(CONNECTION_STRING + f";TransportType=AmqpWebSockets;{COSMOS_KEY}")
    assert two.problem == "the string has 2 unknown parts: TransportType"


@pytest.mark.parametrize(
    "uri",
    [
        f"mongodb://{quote_plus(COSMOS_KEY)}:account@{HOST}:10255/?ssl=true",
        f"mongodb://{COSMOS_KEY.replace('/', 'x')}:account@{HOST}:10255/?ssl=true",
        f"mongodb://{COSMOS_KEY.replace('/', 'x')}",
        f"mongodb://account:{COSMOS_KEY.replace('/', 'x')}",
        COSMOS_KEY,
    ],
)
def test_a_cosmos_key_in_another_place_is_never_shown(uri: str) -> None:
    mistakes = cosmos_mistakes(uri)
    assert mistakes
    sentences = " ".join(mistake.problem + mistake.fix for mistake in mistakes).lower()
    assert COSMOS_KEY[:8].lower() not in sentences
    assert COSMOS_KEY[-10:-2].lower() not in sentences


def test_the_account_is_what_the_host_names() -> None:
    assert cosmos_account(MONGO_URI) == cosmos_account(MONGO_URI.replace("//account:", "//admin:")) == "account"
    assert cosmos_account("mongodb://127.0.0.1:27017/") == cosmos_account("mongodb://[x/") == ""
