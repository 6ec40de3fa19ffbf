"""By which way an event came in: by its record's headers, asked for once."""

from __future__ import annotations

import pytest

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.contract.topics import VIA_HEADER
from fraudstream.core.errors import BrokerUnavailable
from fraudstream.dashboards.data.arrivals import Arrivals, Headers, Place, way_of

SOURCE = {"topic": "transactions", "partition": 1, "offset": 7}


@pytest.mark.parametrize(
    ("headers", "way"),
    [
        ([], "by a Kafka client"),
        ([("x", None), ("y", b"\xff")], "by a Kafka client"),
        ([(VIA_HEADER, b"http")], "over HTTP"),
        ([(VIA_HEADER, b"pigeon")], "by a Kafka client"),
        ([("iothub-connection-device-id", b"pos-1")], "over MQTT, from the device pos-1"),
    ],
)
def test_headers_say_the_way(headers: Headers, way: str) -> None:
    assert way_of(headers) == way


def test_a_record_is_asked_for_once_unless_the_broker_is_away() -> None:
    asked: list[Place] = []

    def read(place: Place) -> Headers | None:
        asked.append(place)
        if len(asked) == 1:
            raise BrokerUnavailable("Kafka does not answer.")
        return [(VIA_HEADER, b"http")]

    arrivals = Arrivals(load_settings(), read)
    assert [arrivals.way({"source": SOURCE}) for _ in range(3)] == ["", "over HTTP", "over HTTP"]
    assert asked == [("transactions", 1, 7)] * 2


@pytest.mark.parametrize("source", [None, "x", {}, SOURCE | {"offset": "7"}, SOURCE | {"partition": True}])
def test_a_document_without_a_place_came_in_by_no_known_way(source: object) -> None:
    assert Arrivals(load_settings(), lambda _: []).way({"source": source}) == ""


def test_a_record_that_the_topic_does_not_hold_any_more_is_not_known() -> None:
    assert Arrivals(load_settings(), lambda _: None).way({"source": SOURCE}) == ""
