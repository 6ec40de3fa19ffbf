"""Hubs are topics, looked up once, and asked for again only where that can change the answer."""

from __future__ import annotations

import pytest

from fraudstream.core.errors import BrokerUnavailable
from fraudstream.ingest.hubs import Hubs
from fraudstream.ingest.refusal import Refusal


class Broker:
    def __init__(self) -> None:
        self.topics: dict[str, frozenset[int]] = {}
        self.asked: list[str] = []
        self.is_away = False
        self.now = 0.0

    def lookup(self, topic: str) -> frozenset[int]:
        self.asked.append(topic)
        if self.is_away:
            raise BrokerUnavailable("Kafka does not answer.")
        return self.topics.get(topic, frozenset())


@pytest.fixture
def broker() -> Broker:
    return Broker()


@pytest.fixture
def hubs(broker: Broker) -> Hubs:
    return Hubs(("transactions", "labels"), broker.lookup, lambda: broker.now)


def test_a_topic_that_is_there_is_asked_for_once(broker: Broker, hubs: Hubs) -> None:
    broker.topics["transactions"] = frozenset({0, 1})
    assert hubs.known("transactions") == set()
    assert hubs.find("transactions") == {0, 1}
    assert hubs.find("transactions") == hubs.known("transactions") == {0, 1}
    assert broker.asked == ["transactions"]


def test_a_topic_that_is_made_later_is_seen_soon_and_not_at_every_request(broker: Broker, hubs: Hubs) -> None:
    assert [hubs.find("labels") for _ in range(5)] == [frozenset()] * 5
    assert broker.asked == ["labels"]
    broker.topics["labels"], broker.now = frozenset({0}), 2.0
    assert hubs.find("labels") == {0}


def test_a_topic_that_is_gone_is_asked_for_again(broker: Broker, hubs: Hubs) -> None:
    broker.topics["transactions"] = frozenset({0})
    hubs.find("transactions")
    hubs.forget("transactions")
    assert hubs.known("transactions") == set()
    hubs.find("transactions")
    assert broker.asked == ["transactions"] * 2


def test_a_broker_that_is_away_is_answered_503(broker: Broker, hubs: Hubs) -> None:
    broker.is_away = True
    for _ in range(3):
        with pytest.raises(Refusal) as raised:
            hubs.find("transactions")
        assert (raised.value.status, raised.value.retry_after) == (503, 2)
    assert broker.asked == ["transactions"]
    broker.is_away, broker.now, broker.topics["transactions"] = False, 2.0, frozenset({0})
    assert hubs.find("transactions") == {0}


def test_a_hub_that_takes_nothing_is_refused_whether_it_is_there_or_not(broker: Broker, hubs: Hubs) -> None:
    broker.topics["scored"] = frozenset({0})
    refusals = []
    for hub in ("scored", "nothing"):
        with pytest.raises(Refusal) as raised:
            hubs.topic(hub)
        refusals.append((raised.value.status, str(raised.value)))
    assert refusals[0] == refusals[1]
    assert refusals[0][0] == 403
    assert hubs.topic("TRANSACTIONS") == "transactions"
    assert broker.asked == []
