"""One transaction end to end, the bounded search, and the rejected events with their replay."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from kafka.errors import KafkaTimeoutError, MessageSizeTooLargeError
from pymongo.errors import ExecutionTimeout

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.documents.client import REJECTED, TRANSACTIONS
from fraudstream.core.errors import BrokerRefused, BrokerUnavailable, EventError, StoreUnavailable
from fraudstream.core.kafka.resend import Replay
from fraudstream.dashboards.data import searches as explorer_queries
from fraudstream.dashboards.data.searches import ROWS, Lookup, Rejections, criteria, stages
from fraudstream.dashboards.pages.explorer import rejected as explorer_rejected
from fraudstream.dashboards.pages.explorer import view as explorer_view
from fraudstream.dashboards.ui.formats import formats
from tests.events import GOOD, value

ENGLISH = formats("en-GB")


@pytest.fixture
def lookup(traffic: Any) -> Lookup:
    return Lookup(traffic.store)


def test_a_transaction_is_found_by_its_id_alone(traffic: Any, lookup: Lookup) -> None:
    before = traffic.store.finds
    document = lookup.transaction(traffic.live[5]["id"])
    assert document is not None
    assert document["amount"] == traffic.live[5]["amount"]
    assert traffic.store.finds == before + 1
    assert lookup.transaction(1) is None


def test_its_way_names_where_it_came_from_and_when_each_part_saw_it(traffic: Any, lookup: Lookup) -> None:
    document = lookup.transaction(traffic.live[5]["id"])
    assert document is not None
    way = stages(document)
    assert [stage.name for stage in way] == ["Made", "Arrived", "Scored", "Published", "Stored"]
    assert way[1].detail == "transactions, partition 1, offset 2"
    assert way[1].after_ms == 0
    assert way[3].after_ms == pytest.approx(document["latency_ms"], abs=0.01)
    assert all(stage.at is not None and stage.at.tzinfo is UTC for stage in way)


def test_a_labelled_transaction_was_never_scored(traffic: Any, lookup: Lookup) -> None:
    document = lookup.transaction(traffic.history[0]["id"])
    assert document is not None
    assert [stage.name for stage in stages(document)] == ["Made", "Arrived", "Stored"]
    assert "Labelled, not scored" in str(explorer_view.transaction(document, ENGLISH, ""))


def test_the_page_shows_score_version_reasons_and_document(traffic: Any, lookup: Lookup) -> None:
    fraud = next(row for row in traffic.live if row["prediction"])
    document = lookup.transaction(fraud["id"])
    assert document is not None
    shown = str(explorer_view.transaction(document, ENGLISH, "http://mlflow/#/models/fraud"))
    assert "▲ Fraud" in shown
    assert "http://mlflow/#/models/fraud/versions/3" in shown
    assert "+2.10" in shown
    assert f'"offset": {fraud["source"]["offset"]}' in shown
    assert f"{fraud['score']:.3f}" in shown


def test_a_search_is_bounded_and_says_so(traffic: Any, lookup: Lookup) -> None:
    common = lookup.search({"transaction_type": "onsite"})
    assert (len(common.documents), common.complete) == (ROWS, False)
    assert "there are more" in common.note
    rare = lookup.search({"id": traffic.live[3]["id"]})
    assert (len(rare.documents), rare.complete) == (1, True)


def test_a_search_finds_what_an_independent_count_does(traffic: Any, lookup: Lookup) -> None:
    wanted = {"category_recipient": "big_purchase", "day_of_week": "monday", "origin": "live"}
    rows = [
        row for row in traffic.live if (row["category_recipient"], row["day_of_week"]) == ("big_purchase", "monday")
    ]
    assert {document["_id"] for document in lookup.search(wanted).documents} == {row["id"] for row in rows}
    frauds = lookup.search({"day_of_week": "monday"}, frauds_only=True)
    expected = [row for row in traffic.live if row["prediction"] and row["day_of_week"] == "monday"]
    assert len(frauds.documents) == min(len(expected), ROWS)


def test_what_criteria_cannot_express_is_searched_among_a_bounded_number(
    lookup: Lookup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explorer_queries, "LOOKED_THROUGH", 50)
    result = lookup.search({}, keeps=lambda document: document["amount"] > 150)
    assert result.documents
    assert all(document["amount"] > 150 for document in result.documents)
    assert result.note.startswith("Found among the first 50 looked through")


def test_a_search_that_takes_too_long_is_stopped_and_a_lost_store_is_reported(traffic: Any, lookup: Lookup) -> None:
    def slow(*_: Any) -> Any:
        raise ExecutionTimeout("operation exceeded time limit", 50)

    traffic.store[TRANSACTIONS].find = slow
    result = lookup.search({"month": 3})
    assert (result.documents, result.complete) == ((), False)
    assert "Stopped after" in result.note
    del traffic.store[TRANSACTIONS].find
    traffic.store.away = True
    with pytest.raises(StoreUnavailable):
        lookup.search({"month": 3})
    with pytest.raises(StoreUnavailable):
        lookup.transaction(3)


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("month", "3")], {"month": 3}),
        ([("amount", "12.5"), ("day_of_week", " monday ")], {"amount": 12.5, "day_of_week": "monday"}),
        ([("prediction", "1"), ("model_version", "3")], {"prediction": 1, "model_version": "3"}),
    ],
)
def test_values_get_their_fields_type(pairs: list[tuple[str, str]], expected: dict[str, Any]) -> None:
    assert criteria(pairs) == expected


@pytest.mark.parametrize("pair", [("month", "March"), ("amount", "much"), ("$where", "1"), ("password", "x")])
def test_a_value_of_another_type_or_an_unknown_field_is_refused(pair: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=pair[0].replace("$", r"\$")):
        criteria([pair])


def test_rejected_events_come_newest_first(traffic: Any) -> None:
    snapshot = Rejections(traffic.store).newest(traffic.now)
    times = [document["rejected_at"] for document in snapshot.documents]
    assert len(times) == 30
    assert times == sorted(times, reverse=True)
    rows = explorer_rejected.rows(snapshot.documents, ENGLISH)
    assert rows[0]["time"] == "04/05/2026 12:00:30"
    assert rows[1]["reason"].startswith("amount: ")


def test_raw_bytes_are_shown_as_text_or_in_hexadecimal() -> None:
    assert explorer_rejected.raw_text(b'{"id": 7}') == ('{"id": 7}', "text")
    dump, kind = explorer_rejected.raw_text(bytes(range(250, 256)) + b"AB")
    assert kind == "hexadecimal"
    assert dump == f"00000000  {'fa fb fc fd fe ff 41 42':<47}  ......AB"
    assert len(explorer_rejected.raw_text(b"x" * 100_000)[0]) == 4_096


def test_an_event_that_was_cut_or_is_no_text_cannot_be_edited(traffic: Any) -> None:
    document = traffic.store[REJECTED].documents["transactions/1/0"]
    assert json.loads(explorer_rejected.editable(document)) == {"id": 7, "amount": "much"}
    assert explorer_rejected.editable({**document, "raw_bytes": 999_999}) == ""
    assert explorer_rejected.editable({"raw": b"\xff\xfe", "raw_bytes": 2}) == ""
    assert explorer_rejected.editable({"raw": b"{broken", "raw_bytes": 7}) == "{broken"


def test_the_detail_names_reason_record_and_bytes(traffic: Any, lookup: Lookup) -> None:
    document = lookup.rejected("transactions/1/0")
    assert document is not None
    shown = str(explorer_rejected.detail(document, ENGLISH))
    for part in ("amount: not what the contract says", "transactions, partition 1, offset 0", "Raw bytes as text"):
        assert part in shown


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ({"key": "7"}, "Dd('7')"),
        ({"key": "\x1b[2J"}, "x1b[2J"),
        ({"key": None}, "Dd('–')"),
        ({"key": None, "key_raw": b"\xff\x00", "key_bytes": 900_000}, "900,000 bytes that begin with ff 00"),
    ],
)
def test_a_key_is_shown_as_text_or_by_its_first_bytes(
    traffic: Any, lookup: Lookup, key: dict[str, Any], shown: str
) -> None:
    document = lookup.rejected("transactions/1/0")
    assert document is not None
    page = str(explorer_rejected.detail({**document, **key}, ENGLISH))
    assert shown in page
    assert "\x1b" not in page


class SenderStub:
    """A producer that remembers what it sent."""

    def __init__(self, error: Exception | None = None) -> None:
        self.sent: list[tuple[str, bytes, bytes]] = []
        self.error = error

    def send(self, topic: str, key: bytes, value: bytes) -> Any:
        self.sent.append((topic, key, value))
        return self

    def get(self, timeout: float) -> Any:
        if self.error:
            raise self.error
        return SimpleNamespace(topic="transactions", partition=1, offset=42)

    def close(self, timeout: float) -> None:
        """Every record was answered."""


def test_a_corrected_event_is_sent_with_its_id_as_key() -> None:
    sender = SenderStub()
    place = Replay(load_settings(), lambda _settings: sender).send("transactions/0/1", value(amount=12.5))
    assert place == "transactions/1/42"
    assert sender.sent == [("transactions", str(GOOD["id"]).encode(), value(amount=12.5))]


def test_what_is_still_wrong_is_not_sent() -> None:
    sender = SenderStub()
    with pytest.raises(EventError, match="amount"):
        Replay(load_settings(), lambda _settings: sender).send("transactions/0/1", value(amount="much"))
    with pytest.raises(EventError, match="bytes"):
        Replay(load_settings(), lambda _settings: sender).send("transactions/0/1", value(note="x" * 2**20))
    assert sender.sent == []


def test_a_broker_that_does_not_take_it_is_told() -> None:
    sender = SenderStub(KafkaTimeoutError("no answer"))
    with pytest.raises(BrokerUnavailable, match="did not take"):
        Replay(load_settings(), lambda _settings: sender).send("transactions/0/1", value())


def test_an_event_that_the_broker_refuses_is_told_with_its_reason() -> None:
    sender = SenderStub(MessageSizeTooLargeError("too large"))
    with pytest.raises(BrokerRefused, match="MessageSizeTooLargeError: too large"):
        Replay(load_settings(), lambda _settings: sender).send("transactions/0/1", value())


def test_a_rejected_label_goes_back_to_labels_and_needs_its_label() -> None:
    sender = SenderStub()
    replay = Replay(load_settings(), lambda _settings: sender)
    replay.send("labels/0/1", value(isFraud=1))
    assert [sent[0] for sent in sender.sent] == ["labels"]
    with pytest.raises(EventError, match=r"^isFraud: missing"):
        replay.send("labels/0/1", value())
    with pytest.raises(EventError, match="takes no events"):
        replay.send("rejected/0/1", value())


def test_the_text_to_correct_keeps_every_digit() -> None:
    raw = b'{"arn": 74537605259536043849425, "fee": 1.10, "id": 1, "id": 2}'
    shown = explorer_rejected.editable({"raw": raw, "raw_bytes": len(raw)})
    assert shown.splitlines()[1:4] == ['  "arn": 74537605259536043849425,', '  "fee": 1.10,', '  "id": 1,']
    assert explorer_rejected.one_line(shown) == raw.replace(b" ", b"")


def test_a_document_may_lack_times() -> None:
    at = datetime(2026, 5, 4, 12, tzinfo=UTC)
    way = stages({"enqueued_at": at, "stored_at": at + timedelta(seconds=2)})
    assert way[0].at is None
    assert way[-1].after_ms == 2_000
