"""Rejected events corrected: each that cannot be is named, whatever its text is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from bson import Binary

from fraudstream.core.configuration.settings import Settings, load_settings
from fraudstream.core.contract.event import AMOUNT
from fraudstream.core.documents import client as documents
from fraudstream.core.errors import EventError
from fraudstream.core.kafka import resend
from fraudstream.core.kafka.resend import Correction, corrected, outgoing
from tests.events import value

DECISION = dict.fromkeys(sorted(resend._DECISION), 1)


def nested(depth: int) -> bytes:
    """A scored record with a field that is nested so deep."""
    return (json.dumps(DECISION)[:-1] + ', "note": ' + '{"a":' * depth + "1" + "}" * depth + "}").encode()


@pytest.mark.parametrize("correction", [Correction(), Correction({(AMOUNT,): "5"}), Correction({}, [("other",)])])
def test_a_record_of_any_depth_is_refused_as_an_event(correction: Correction) -> None:
    for depth in range(900, 1_040):
        with pytest.raises(EventError, match="nested"):
            outgoing("id", "scored", corrected(nested(depth), correction))


def test_what_json_does_not_have_can_be_corrected_and_the_gate_judges_the_result() -> None:
    raw = value(amount=float("nan"), other=float("-inf"))
    for correction in (Correction(), Correction({(AMOUNT,): "1"}), Correction({}, [("other",)])):
        with pytest.raises(EventError, match=rf"^({AMOUNT}|value): .*NaN"):
            outgoing("id", "transactions", corrected(raw, correction))
    sent = outgoing("id", "transactions", corrected(raw, Correction({(AMOUNT,): "1.50"}, [("other",)])))
    assert sent.value == value(amount=1.5).replace(b": 1.5,", b": 1.50,")


def test_one_that_is_nested_too_deeply_is_named_by_its_id(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = {
        number: {"_id": number, "raw": raw, "raw_bytes": len(raw), "source": {"topic": "scored"}}
        for number, raw in (("good", value()), ("deep", nested(1_000)))
    }

    class Rejected:
        def find(self, _query: Any) -> Sequence[Any]:
            return list(stored.values())

    def database(_settings: Settings, **_options: Any) -> dict[str, Rejected]:
        return {documents.REJECTED: Rejected()}

    monkeypatch.setattr(documents, "database", database)
    with pytest.raises(EventError, match=r"^Nothing was sent. deep: still not valid, .*nested"):
        resend.send_back(load_settings(), ["good", "deep"], Correction())


RAW = value(id=7)


@pytest.mark.parametrize(
    "document",
    [
        {"raw": RAW},
        {"raw": RAW, "raw_bytes": None, "source": None},
        {"raw": RAW, "raw_bytes": "many", "source": {"topic": None}},
        {"raw": RAW, "raw_bytes": float("nan"), "source": ["transactions"]},
        {"raw": RAW, "raw_bytes": len(RAW), "source": {"topic": ["transactions"]}},
        {"raw": Binary(RAW, 5), "raw_bytes": float(len(RAW))},
    ],
)
def test_an_odd_document_whose_bytes_are_there_is_sent_to_the_topic_of_its_id(document: dict[str, Any]) -> None:
    record = resend.corrected_record("transactions/0/5", {"_id": "transactions/0/5", **document}, Correction())
    assert (record.topic, record.key, record.value) == ("transactions", b"7", RAW)


@pytest.mark.parametrize("document", [{}, {"raw": None}, {"raw": "text"}, {"raw": 5, "raw_bytes": 5, "source": {}}])
def test_one_without_bytes_is_told_by_its_id(document: dict[str, Any]) -> None:
    with pytest.raises(EventError, match=r"^transactions/0/5: its bytes are not kept"):
        resend.corrected_record("transactions/0/5", {"_id": "transactions/0/5", **document}, Correction())


def test_one_that_was_cut_is_told_with_its_size() -> None:
    with pytest.raises(EventError, match=r"only 3 of its 9,000 bytes"):
        resend.corrected_record("transactions/0/5", {"raw": b"abc", "raw_bytes": 9_000}, Correction())
