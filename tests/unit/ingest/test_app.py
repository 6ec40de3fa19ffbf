"""The addresses: what is taken, when it is acknowledged, and every refusal with its body and its headers."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

import pytest
from kafka.errors import (
    InvalidRecordError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from fraudstream.core.contract.topics import HTTP_BATCH_TYPE, PUBLICATION_BYTES
from tests.unit.ingest.conftest import Ingest


def detail(body: bytes, status: int) -> str:
    """The detail of an error's body, which has the service's shape."""
    error = ElementTree.fromstring(body)  # noqa: S314 - of our own service
    assert (error.tag, error.findtext("Code")) == ("Error", str(status))
    text = error.findtext("Detail") or ""
    assert re.search(r"TrackingId:[0-9a-f-]{36}_G0, SystemTracker:\S+, Timestamp:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$", text)
    return text


def test_an_event_is_sent_as_it_is_and_answered_201_without_a_body(ingest: Ingest) -> None:
    answer = ingest.post(
        "/transactions/messages?timeout=60&api-version=2014-01", b"\xff{", BrokerProperties='{"PartitionKey":"k"}'
    )
    assert (answer.status_code, answer.content) == (201, b"")
    assert answer.headers["content-type"] == "application/xml; charset=utf-8"
    assert ingest.producer.sent == [("transactions", b"\xff{", b"k", [], None)]


def test_each_event_of_a_batch_is_a_record(ingest: Ingest) -> None:
    assert ingest.post(content=b'[{"Body":"a"},{"Body":"b"}]', Content_Type=HTTP_BATCH_TYPE).status_code == 201
    assert [record[1] for record in ingest.producer.sent] == [b"a", b"b"]


def test_publishers_and_partitions_have_addresses_of_their_own(ingest: Ingest) -> None:
    assert ingest.post("/transactions/publishers/pos%2F1/messages").status_code == 404
    assert ingest.post("/transactions/publishers/pos-1/messages").status_code == 201
    assert ingest.post("/transactions/partitions/1/messages").status_code == 201
    assert [record[2::2] for record in ingest.producer.sent] == [(b"pos-1", None), (None, 1)]
    for partition in ("2", "-1", "x", "9" * 5_000):
        answer = ingest.post(f"/transactions/partitions/{partition}/messages")
        assert answer.status_code == 400
        assert "partitions go from 0 to 1" in detail(answer.content, 400)


def test_nothing_is_acknowledged_before_the_broker_has_all_of_it(ingest: Ingest) -> None:
    ingest.producer.outcome = None
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(ingest.post, content=b'[{"Body":"a"},{"Body":"b"}]', Content_Type=HTTP_BATCH_TYPE)
        assert ingest.producer.came.wait(5)
        first, second = ingest.producer.waiting
        first.success(None)
        assert not answer.done()
        second.success(None)
        assert answer.result(5).status_code == 201


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [
        (KafkaTimeoutError("away"), 503, "1"),
        (UnknownTopicOrPartitionError(), 404, None),
        (MessageSizeTooLargeError(), 413, None),
        (InvalidRecordError(), 400, None),
        (TopicAuthorizationFailedError(), 500, None),
    ],
)
def test_what_the_broker_does_not_take_is_not_acknowledged(
    ingest: Ingest, error: Exception, status: int, retry: str | None
) -> None:
    ingest.producer.outcome = lambda _topic, value: error if value == b"b" else None
    answer = ingest.post(content=b'[{"Body":"a"},{"Body":"b"},{"Body":"c"}]', Content_Type=HTTP_BATCH_TYPE)
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, retry)
    detail(answer.content, status)
    # A producer that failed may take nothing more: the next request has another one.
    ingest.producer.outcome = lambda *_: None
    assert ingest.post().status_code == 201
    assert len(ingest.connections) == 2


def test_no_answer_within_the_time_that_the_sender_gives_is_answered_503(ingest: Ingest) -> None:
    ingest.producer.outcome = None
    answer = ingest.post("/transactions/messages?timeout=1")
    assert answer.status_code == 503
    assert "may arrive yet" in detail(answer.content, 503)
    ingest.producer.waiting[0].success(None)


def test_no_more_is_taken_in_than_there_is_room_for(ingest: Ingest) -> None:
    ingest.producer.outcome = None
    batch = b"[" + b",".join([b'{"Body":""}'] * 99) + b"]"
    with ThreadPoolExecutor() as pool:
        first = pool.submit(ingest.post, content=batch, Content_Type=HTTP_BATCH_TYPE)
        assert ingest.producer.came.wait(5)
        full = ingest.post(content=b'[{"Body":""},{"Body":""}]', Content_Type=HTTP_BATCH_TYPE)
        assert (full.status_code, full.headers["retry-after"]) == (503, "1")
        posted = pool.submit(ingest.post)
        while len(ingest.producer.waiting) < 100:
            threading.Event().wait(0.005)
        for waiting in ingest.producer.waiting:
            waiting.success(None)
        assert (first.result(5).status_code, posted.result(5).status_code) == (201, 201)
    ingest.producer.outcome = lambda *_: None
    assert ingest.post(content=batch, Content_Type=HTTP_BATCH_TYPE).status_code == 201


def test_a_batch_larger_than_all_room_has_it_to_itself(ingest: Ingest) -> None:
    batch = b"[" + b",".join([b'{"Body":""}'] * 1_000) + b"]"
    assert ingest.post(content=batch, Content_Type=HTTP_BATCH_TYPE).status_code == 201


def test_without_a_token_nothing_is_read_and_the_hub_stays_unknown(ingest: Ingest) -> None:
    for path in ("/transactions/messages", "/nothing/messages"):
        answer = ingest.client.post(path, content=b"x" * 2 * PUBLICATION_BYTES)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "SharedAccessSignature, Bearer"
        assert answer.headers["connection"] == "close"
        assert "MissingToken" in detail(answer.content, 401)
    assert ingest.producer.sent == []


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/scored/messages", 403, "takes no events"),
        ("/gone/messages", 404, "40400"),
        ("/", 404, "40400"),
        ("/transactions", 404, "40400"),
        ("/transactions/messages/x", 404, "40400"),
        ("/transactions/messages?api-version=1", 400, "api-version"),
        ("/transactions/messages?timeout=soon", 400, "timeout"),
        ("/transactions/messages?timeout=-1", 400, "timeout"),
        (f"/transactions/publishers/{'p' * 129}/messages", 400, "128 characters"),
    ],
)
def test_other_addresses_are_refused(ingest: Ingest, path: str, status: int, words: str) -> None:
    answer = ingest.post(path)
    assert answer.status_code == status
    assert words in detail(answer.content, status)
    assert ingest.producer.sent == []


def test_a_slash_behind_the_address_does_not_matter(ingest: Ingest) -> None:
    for path in (
        "/transactions/messages/",
        "/transactions/publishers/p/messages/",
        "/transactions/partitions/1/messages/",
    ):
        assert ingest.post(f"{path}?timeout=10").status_code == 201


def test_the_case_of_a_hubs_name_does_not_matter(ingest: Ingest) -> None:
    assert ingest.post("/Transactions/messages").status_code == 201
    assert ingest.producer.sent[0][0] == "transactions"


def test_only_posts_are_taken(ingest: Ingest) -> None:
    answer = ingest.client.get("/transactions/messages")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    detail(answer.content, 405)


def test_a_body_over_a_megabyte_is_answered_413_whether_or_not_it_was_announced(ingest: Ingest) -> None:
    body = b"x" * (PUBLICATION_BYTES + 1)
    assert ingest.post(content=body).status_code == 413
    chunked = ingest.client.post(
        "/transactions/messages",
        content=iter([body[:1000], body[1000:]]),
        headers={"Authorization": ingest.post().request.headers["authorization"]},
    )
    assert chunked.status_code == 413
    assert "1048576 bytes" in detail(chunked.content, 413)


def test_health_says_whether_events_get_through(ingest: Ingest) -> None:
    assert ingest.post().status_code == 201
    health = ingest.client.get("/health")
    assert (health.status_code, health.json()) == (200, {"status": "ok", "waiting_events": 0})
    ingest.producer.outcome, ingest.is_reachable = lambda *_: KafkaTimeoutError("away"), False
    assert ingest.post().status_code == 503
    # First it is what the request met, then what asking the broker shows.
    while (health := ingest.client.get("/health")).json().get("reason") != "Kafka does not answer.":
        threading.Event().wait(0.005)
    assert (health.status_code, health.json()["status"], health.json()["waiting_events"]) == (503, "failing", 0)
    assert ingest.post().status_code == 503


def test_metrics_count_events_and_refusals(ingest: Ingest) -> None:
    ingest.post(content=b'[{"Body":"a"},{"Body":"b"}]', Content_Type=HTTP_BATCH_TYPE)
    ingest.post("/gone/messages")
    text = ingest.client.get("/metrics").text
    assert "fraudstream_ingest_events_total 2.0" in text
    assert 'fraudstream_ingest_requests_total{status="404"} 1.0' in text
    assert "fraudstream_ingest_waiting_events 0.0" in text
