"""Stored rows that a training cannot use are left out, counted by reason and named; the others are kept as they are."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import bson
import numpy as np
import pyarrow as pa
import pytest
from bson import Decimal128, Int64, ObjectId
from bson.datetime_ms import DatetimeMS
from bson.raw_bson import RawBSONDocument
from pymongo.errors import AutoReconnect, OperationFailure

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import AMOUNT, FEATURES
from fraudstream.core.contract.field_rules import as_double
from fraudstream.core.documents import client as documents
from fraudstream.core.documents.scans import scanned
from fraudstream.core.documents.throttling import WriteLimits
from fraudstream.core.documents.write_errors import TOO_MANY_REQUESTS
from fraudstream.core.errors import StoreUnavailable
from fraudstream.ml import history
from fraudstream.ml.features import EVENT_TIME, ID, LABEL, matrix
from fraudstream.ml.usable import LARGEST, LeftOut, problem, sort_rows
from tests.events import GOOD, named, renamed

MOMENT = datetime(2026, 11, 24, 10, 11, 12, tzinfo=UTC)


def stored(number: Any = 1_000_001, without: str = "", **changes: Any) -> dict[str, Any]:
    fields = {name: GOOD[name] for name in (*FEATURES, AMOUNT)} | {"_id": number, LABEL: 0, EVENT_TIME: MOMENT}
    fields |= renamed(changes)
    return {name: value for name, value in fields.items() if name != named(without)}


def own_reason(reason: str) -> str:
    """A reason by the field's name in the project in force."""
    field, problem = reason.split(": ", 1)
    return f"{named(field)}: {problem}"


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (stored(without="amount"), "amount: missing"),
        (stored(amount=None), "amount: missing"),
        (stored(amount="12.5"), "amount: not a number"),
        (stored(amount=True), "amount: not a number"),
        (stored(amount=Decimal128("NaN")), "amount: not finite"),
        (stored(amount=Decimal128("-0.5")), "amount: out of its range"),
        (stored(amount=1e39), "amount: beyond single precision"),
        (stored(income=10**400), "income: beyond single precision"),
        (stored(old_balance=float("inf")), "old_balance: not finite"),
        (stored(old_balance=float("nan")), "old_balance: not finite"),
        (stored(amount=-0.5), "amount: out of its range"),
        (stored(amount={"a": 1}), "amount: not a number"),
        (stored(month=1.0), "month: not an integer"),
        (stored(month=13), "month: out of its range"),
        (stored(month=[1]), "month: not an integer"),
        (stored(credit=2**70), "credit: out of its range"),
        (stored(day_of_week="Monday"), "day_of_week: not one of its values"),
        (stored(day_of_week=["monday"]), "day_of_week: not one of its values"),
        (stored(day_of_week=3), "day_of_week: not one of its values"),
        (stored(isFraud=2), "isFraud: out of its range"),
        (stored(isFraud=True), "isFraud: not an integer"),
        (stored(isFraud=1.0), "isFraud: not an integer"),
        (stored(without="isFraud"), "isFraud: missing"),
        (stored("1000001"), "id: not an integer"),
        (stored(-1), "id: out of its range"),
        (stored(1.0), "id: not an integer"),
        (stored(ObjectId()), "id: not an integer"),
        (stored(without="event_time"), "event_time: missing"),
        (stored(event_time="24/11/2026 10:11:12"), "event_time: missing"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_and_does_not_take_the_others(document: dict[str, Any], reason: str) -> None:
    reason = own_reason(reason)
    assert problem(document) == reason
    sorting = sort_rows([stored(7), document, stored(Int64(2**60), amount=Int64(5), month=Int64(3))])
    assert sorting.left_out == [(str(document.get("_id")), reason)]
    assert sorting.columns[ID] == [7, 2**60]
    batch = history.record_batch(sorting)
    assert batch.column(0).to_pylist() == [7, 2**60, 0]
    assert batch.column(history._LEFT_REASON).to_pylist() == [None, None, reason]


def test_what_is_at_the_edge_is_used() -> None:
    rows = [stored(0, amount=LARGEST), stored(2**63 - 1, amount=0, old_balance=0.0)]
    sorting = sort_rows(rows)
    assert sorting.left_out == []
    features = matrix(sorting.columns).astype(np.float32)
    assert np.isfinite(features).all()


def test_whole_columns_and_single_rows_are_judged_alike() -> None:
    rng = random.Random(3)
    odd = [None, True, "x", 1.0, -1, 2**63, 10**400, 1e39, float("nan"), "monday", 1, 0, 12.5, [], Decimal128("1")]
    names = [*FEATURES, LABEL, "_id"]
    for _ in range(4_000):
        rows = [stored(1) | {rng.choice(names): rng.choice(odd)} for _ in range(rng.randrange(1, 4))]
        sorting = sort_rows(rows)
        usable = [row for row in rows if not problem(row)]
        assert sorting.columns[AMOUNT] == [as_double(row[AMOUNT]) for row in usable]
        assert len(sorting.left_out) == len(rows) - len(usable)
        assert isinstance(history.record_batch(sorting), pa.RecordBatch)


def test_reasons_are_counted_and_the_first_ids_named() -> None:
    left = LeftOut.of([(str(number), "amount: missing") for number in range(8)] + [("x\x1b[31m", "id: not an integer")])
    assert left.count == 9
    assert str(left) == "amount: missing (8: 0, 1, 2, 3, 4, …); id: not an integer (1: x\\x1b[31m)"
    assert left.to_json()["reasons"][0] == {"reason": "amount: missing", "count": 8, "ids": ["0", "1", "2", "3", "4"]}


class Transactions:
    """25 labelled documents behind a cursor that fails once behind each of the given positions; then ``further``."""

    def __init__(self, *fails_at: int, error: Exception | None = None, further: bytes = b"") -> None:
        self.fails_at = list(fails_at)
        self.error = error or OperationFailure("Error=16500, RetryAfterMs=1", TOO_MANY_REQUESTS)
        self.further = further
        self.queries = 0

    def find_raw_batches(self, *_: Any, **__: Any) -> Any:
        self.queries += 1
        for number in range(25):
            if self.fails_at and number == self.fails_at[0]:
                del self.fails_at[0]
                raise self.error
            yield bson.encode(stored(number))
        yield self.further


class Database:
    codec_options: Any = documents.client(Settings()).codec_options

    def __init__(self, transactions: Transactions) -> None:
        self.transactions = transactions

    def __getitem__(self, _name: str) -> Transactions:
        return self.transactions


def test_a_cursor_that_is_refused_in_its_middle_goes_on_behind_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    transactions = Transactions(12, 4, 19)
    monkeypatch.setattr(documents, "database", lambda _settings: Database(transactions))
    monkeypatch.setattr(history, "_BATCH", 10)
    read = [document["_id"] for batch in history.stored_batches(Settings()) for document in batch]
    assert read == list(range(25))
    assert transactions.queries == 4


def test_a_store_that_gives_no_units_for_too_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "database", lambda _settings: Database(Transactions(*[5] * 100)))
    with pytest.raises(StoreUnavailable, match="no request units"):
        list(history.stored_batches(Settings(mongo_throttle_seconds=0.05)))


def test_any_other_error_ends_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "database", lambda _settings: Database(Transactions(5, error=AutoReconnect("gone"))))
    with pytest.raises(AutoReconnect):
        list(history.stored_batches(Settings()))


def nested(kind: bytes) -> bytes:
    """A document that is nested more deeply than can be decoded, in objects (``kind`` 3) or in lists (4)."""
    inner = bson.encode({"a": 1})
    for _ in range(3_000):
        # An element is its type, its name and its value; a document is its length, its elements and a zero.
        element = kind + b"0\0" + inner
        inner = (len(element) + 5).to_bytes(4, "little") + element + b"\0"
    return inner


def test_a_document_that_others_wrote_takes_no_other_row_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    odd: list[dict[str, Any]] = [
        stored("7"),
        stored(True),
        stored([7]),
        stored({"a": 7}),
        stored({"a": "7"}),
        stored(amount=DatetimeMS(2**60)),
        stored(DatetimeMS(-(2**60))),
        stored(1_000_002, old_balance=RawBSONDocument(nested(b"\x03"))),
    ]
    broken = [bson.encode(stored("ab")).replace(b"ab", first + b"b") for first in (b"\xfe", b"\xff")]
    # The same of a list; the bytes behind a document's length are its elements, and the first one's name is its id's.
    number = b"\x10_id\0" + (1_000_003).to_bytes(4, "little")
    listed = nested(b"\x04")[4:]
    broken.append((len(number + listed) + 4).to_bytes(4, "little") + number + listed)
    further = b"".join([*map(bson.encode, odd), *broken])
    with documents.client(Settings(mongo_uri="mongodb://host/?datetime_conversion=DATETIME")) as client:
        ours = client.codec_options
    for options in (Database.codec_options, ours):
        transactions = Transactions(12, further=further)
        monkeypatch.setattr(Database, "codec_options", options)
        monkeypatch.setattr(documents, "database", lambda _settings, collection=transactions: Database(collection))
        rows = [document for batch in history.stored_batches(Settings()) for document in batch]
        assert len(rows) == 25 + len(odd) + len(broken)
        sorting = sort_rows(rows)
        assert sorting.columns[ID] == list(range(25))
        assert isinstance(history.record_batch(sorting), pa.RecordBatch)
        reasons = dict(sorting.left_out)
        assert reasons["7"] == own_reason("id: not an integer")
        assert reasons["1000001"] == own_reason("amount: not a number")
        assert reasons["1000002"] == own_reason("old_balance: not a number")
        assert reasons["1000003"] == own_reason("amount: missing")


def test_each_id_is_read_once_whatever_its_kind() -> None:
    kinds = [1, "1", True, 1.5, b"1", [1], {"1": 1}, {"1": "1"}, ObjectId(b"1" * 12), None, Decimal128("1")]
    # The same documents again, behind a cursor that was lost at its end: a store may have them as 64 bits now.
    queries = [kinds, [Int64(1), *kinds[1:]]]

    def query() -> Iterator[dict[str, Any]]:
        yield from ({"_id": number} for number in queries.pop(0))
        if queries:
            raise OperationFailure("Error=16500, RetryAfterMs=1", TOO_MANY_REQUESTS)

    read = [document["_id"] for batch in scanned(query, 100, WriteLimits()) for document in batch]
    assert list(map(repr, read)) == list(map(repr, kinds))
    assert queries == []
