"""Requests become records: an event as it is, or each event of a batch, with its key and its properties."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from fraudstream.core.contract.topics import HTTP_BATCH_TYPE, PUBLICATION_BYTES
from fraudstream.ingest.messages import Message, read
from fraudstream.ingest.refusal import Refusal

EVENT = b'{"id": 7, "amount": 12.50}'


def batch(*items: Any, headers: list[tuple[str, str]] | None = None, publisher: str = "") -> list[Message]:
    return read(HTTP_BATCH_TYPE, headers or [], orjson.dumps(list(items)), publisher)


def refusal(content_type: str, body: bytes, *headers: tuple[str, str], publisher: str = "") -> Refusal:
    with pytest.raises(Refusal) as raised:
        read(content_type, headers, body, publisher)
    return raised.value


@pytest.mark.parametrize("content_type", ["", "application/json", "application/atom+xml;type=entry;charset=utf-8", "x"])
@pytest.mark.parametrize("body", [EVENT, b"", b"\xff\x00", b"[1]"])
def test_an_event_is_its_body_whatever_its_type(content_type: str, body: bytes) -> None:
    assert read(content_type, [], body) == [Message(body, None, [])]


def test_the_broker_properties_of_an_event_give_its_key() -> None:
    header = ("brokerproperties", '{"PartitionKey": "card-7", "CorrelationId": "x"}')
    assert read("", [header], EVENT)[0].key == b"card-7"


def test_headers_that_http_does_not_know_are_an_events_properties() -> None:
    headers = [
        *(("windalert", '"Strong"'), ("x-ms-retrypolicy", "NoRetry"), ("x-forwarded-for", "10.0.0.1")),
        *(("authorization", "secret"), ("content-type", "x"), ("user-agent", "curl"), ("caf\xe9", "\xe9")),
    ]
    assert read("", headers, EVENT)[0].headers == [("windalert", b"Strong"), ("caf\xe9", b"\xe9")]


def test_a_batch_is_an_event_for_each_of_its_bodies() -> None:
    messages = batch(
        {"Body": EVENT.decode()},
        {"Body": "é", "UserProperties": {"Alert": "é", "n": 1, "b": True, "none": None}},
        {"Body": base64.b64encode(b"\xff").decode(), "IsBodyBase64": True, "BrokerProperties": {"PartitionKey": "k"}},
    )
    assert [message.value for message in messages] == [EVENT, "é".encode(), b"\xff"]
    assert messages[1].headers == [("Alert", "é".encode()), ("n", b"1"), ("b", b"true"), ("none", b"null")]
    assert [message.key for message in messages] == [None, None, b"k"]


def test_a_key_in_the_header_is_that_of_all_events_without_their_own() -> None:
    header = ("brokerproperties", '{"PartitionKey": "common"}')
    messages = batch({"Body": "a"}, {"Body": "b", "BrokerProperties": {"PartitionKey": "own"}}, headers=[header])
    assert [message.key for message in messages] == [b"common", b"own"]


def test_a_publisher_is_the_key_and_no_other_is_taken() -> None:
    assert [message.key for message in batch({"Body": "a"}, publisher="pos-1")] == [b"pos-1"]
    other = orjson.dumps([{"Body": "a", "BrokerProperties": {"PartitionKey": "other"}}])
    assert refusal(HTTP_BATCH_TYPE, other, publisher="pos-1").status == 400


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"{}", b"[]", b"null", b"[1]", b"[{}]", b'[{"Body": 1}]', b'[{"Body": {"id": 1}}]', b"[" * 5_000),
        *(b'[{"Body": "a", "UserProperties": []}]', b'[{"Body": "a", "BrokerProperties": "x"}]', b'[{"Body": "\xff"}]'),
        *(b'[{"Body": "a", "BrokerProperties": {"PartitionKey": 7}}]', b'[{"Body": "!", "IsBodyBase64": true}]'),
        *(b'[{"Body": "a", "UserProperties": {"": 1}}]', b'[{"Body": "\\ud800"}]'),
        b'[{"Body": "a", "BrokerProperties": {"PartitionKey": "' + b"k" * 129 + b'"}}]',
    ],
)
def test_what_is_no_batch_is_answered_400(body: bytes) -> None:
    assert refusal(HTTP_BATCH_TYPE, body).status == 400


@pytest.mark.parametrize("text", ["{", "[]", "7", '{"PartitionKey": 7}'])
def test_broker_properties_that_cannot_be_read_are_answered_400(text: str) -> None:
    assert refusal("", EVENT, ("brokerproperties", text)).status == 400


def test_an_event_that_no_publication_holds_is_answered_413() -> None:
    assert refusal("", b"x" * PUBLICATION_BYTES).status == 413
    properties = {str(number): "x" * 1_000 for number in range(1_100)}
    assert refusal(HTTP_BATCH_TYPE, orjson.dumps([{"Body": "a", "UserProperties": properties}])).status == 413
