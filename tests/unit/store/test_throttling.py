"""Writes under a budget of request units: refused operations alone are sent again, after the pause asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from bson.errors import InvalidDocument
from pymongo.errors import BulkWriteError, OperationFailure

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.documents.throttling import (
    MOST_OPERATIONS,
    Encoded,
    Patience,
    WriteLimits,
    batches,
    insert_new,
    patiently,
    retry_after_seconds,
    upsert_all,
)
from fraudstream.core.errors import StoreUnavailable

MESSAGE = (
    "Error=16500, RetryAfterMs=8, Details='Response status code does not indicate success: TooManyRequests (429); "
    "Substatus: 3200; Request rate is large. More Request Units may be needed, so no changes were made.'"
)


class Store:
    """A collection that takes so many operations of each bulk, and refuses the others with ``code``."""

    name = "transactions"

    def __init__(self, budgets: Sequence[int], code: int | None = 16500, message: str = MESSAGE) -> None:
        self.budgets = list(budgets)
        self.code = code
        self.message = message
        self.stored: list[Any] = []
        self.calls: list[int] = []

    def bulk_write(self, operations: list[Any], ordered: bool) -> None:
        assert not ordered
        self.calls.append(len(operations))
        budget = self.budgets.pop(0) if self.budgets else len(operations)
        errors = []
        for at, number in enumerate(operation._doc["_id"] for operation in operations):
            if at >= budget:
                code = {} if self.code is None else {"code": self.code}
                errors.append({"index": at, "errmsg": self.message} | code)
            elif number in self.stored:
                errors.append({"index": at, "code": 11000, "errmsg": f"E11000 duplicate key error, _id: {number}"})
            else:
                self.stored.append(number)
        if errors:
            raise BulkWriteError({"writeErrors": errors, "writeConcernErrors": []})


def documents(count: int, start: int = 0) -> list[Encoded]:
    return [Encoded.of({"_id": number}) for number in range(start, count)]


def patience(pauses: list[float], limits: WriteLimits | None = None) -> Patience:
    passed = [0.0]

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        passed[0] += seconds

    return Patience(limits or WriteLimits(), sleep, lambda: passed[0])


def test_refused_operations_alone_are_sent_again() -> None:
    store, pauses = Store([4, 3]), list[float]()
    upsert_all(store, documents(10), WriteLimits(), patience(pauses))  # type: ignore[arg-type]
    assert store.calls == [10, 6, 3]
    assert store.stored == list(range(10))
    assert all(0.008 <= pause <= 0.012 for pause in pauses)
    assert len(pauses) == 2


def test_without_a_pause_in_the_text_the_waits_grow() -> None:
    store, pauses = Store([0] * 8, message="Error=16500, Details='Insert error.'"), list[float]()
    upsert_all(store, documents(1), WriteLimits(), patience(pauses))  # type: ignore[arg-type]
    assert len(pauses) == 8
    assert pauses[0] < 0.08
    assert 5.0 <= pauses[-1] <= 7.5


def test_patience_ends_and_says_what_to_do() -> None:
    store, pauses = Store([0] * 100_000), list[float]()
    limits = WriteLimits(patience_seconds=1.0)
    with pytest.raises(StoreUnavailable, match="FRAUDSTREAM_MONGO_THROTTLE_SECONDS"):
        upsert_all(store, documents(1), limits, patience(pauses, limits))  # type: ignore[arg-type]
    assert 1.0 <= sum(pauses) < 1.1


def test_patience_lasts_while_the_store_takes_something() -> None:
    store, pauses = Store([1] * 20, message=MESSAGE.replace("=8,", "=500,")), list[float]()
    limits = WriteLimits(patience_seconds=1.0)
    upsert_all(store, documents(20), limits, patience(pauses, limits))  # type: ignore[arg-type]
    assert store.stored == list(range(20))
    assert sum(pauses) > 5.0


def test_patience_lasts_while_the_store_takes_requests_whole() -> None:
    store, pauses = Store([0, 1] * 20, message=MESSAGE.replace("=8,", "=500,")), list[float]()
    limits = WriteLimits(request_bytes=300, patience_seconds=1.0)
    upsert_all(store, documents(20), limits, patience(pauses, limits))  # type: ignore[arg-type]
    assert store.calls == [1] * 40
    assert sum(pauses) > 5.0


def test_other_write_errors_are_not_waited_for() -> None:
    store = Store([1], code=13, message="not authorized on fraudstream to execute command")
    with pytest.raises(BulkWriteError):
        upsert_all(store, documents(2), WriteLimits())  # type: ignore[arg-type]
    assert store.calls == [2]


@pytest.mark.parametrize("code", [16, 52, 121, 10334, 98765, None])
def test_a_document_that_is_refused_is_told_and_the_others_are_written(code: int | None) -> None:
    store = Store([3], code=code, message="Error=16, Details='RequestEntityTooLarge (413)'")
    refused = upsert_all(store, documents(4), WriteLimits())  # type: ignore[arg-type]
    assert [refusal.document.id for refusal in refused] == [3]
    assert "RequestEntityTooLarge" in refused[0].reason
    assert (f"code {code}: " if code is not None else "without a code: ") in refused[0].reason
    assert store.stored == [0, 1, 2]
    assert store.calls == [4]


@pytest.mark.parametrize("code", [11600, 10107, 14031, 98765])
def test_a_bulk_that_fails_whole_for_another_reason_is_no_documents_fault(code: int) -> None:
    store = Store([0], code=code, message="the store is ill")
    with pytest.raises(BulkWriteError):
        upsert_all(store, documents(4), WriteLimits())  # type: ignore[arg-type]


class Whole(Store):
    """A collection that answers a bulk with one error, without telling the document."""

    def __init__(self, bad: int, error: Exception) -> None:
        super().__init__([])
        self.bad, self.error = bad, error

    def bulk_write(self, operations: list[Any], ordered: bool) -> None:
        if any(operation._doc["_id"] == self.bad for operation in operations):
            raise self.error
        super().bulk_write(operations, ordered)


@pytest.mark.parametrize(
    "error", [KeyError("code"), OperationFailure("too large", 10334), InvalidDocument("BSON document too large")]
)
def test_a_bulk_that_fails_whole_is_narrowed_down_to_the_document(error: Exception) -> None:
    store = Whole(700, error)
    refused = upsert_all(store, documents(1_000), WriteLimits())  # type: ignore[arg-type]
    assert [refusal.document.id for refusal in refused] == [700]
    assert sorted(store.stored) == [number for number in range(1_000) if number != 700]
    assert len(store.calls) <= 2 * 10


def test_an_error_that_no_document_brings_about_is_raised() -> None:
    with pytest.raises(OperationFailure):
        upsert_all(Whole(1, OperationFailure("not primary", 10107)), documents(4), WriteLimits())  # type: ignore[arg-type]


def test_inserts_name_the_ids_that_are_taken_and_wait_for_the_others() -> None:
    store, pauses = Store([]), list[float]()
    insert_new(store, documents(4), WriteLimits())  # type: ignore[arg-type]
    store.budgets = [4]
    outcome = insert_new(store, documents(9, start=2), WriteLimits(), patience(pauses))  # type: ignore[arg-type]
    assert ([encoded.id for encoded in outcome.taken], outcome.refused) == ([2, 3], [])
    assert store.stored == list(range(9))
    assert store.calls == [4, 7, 3]
    assert len(pauses) == 1


def test_upserts_do_not_take_a_taken_id_for_a_stored_document() -> None:
    store = Store([])
    store.stored = [0]
    refused = upsert_all(store, documents(1), WriteLimits())  # type: ignore[arg-type]
    assert [refusal.document.id for refusal in refused] == [0]
    assert store.calls == [1, 1]


def test_a_refused_read_is_made_again() -> None:
    answers: list[Any] = [OperationFailure(MESSAGE, 16500), OperationFailure(MESSAGE, 16500), 7]

    def call() -> int:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return int(answer)

    assert patiently(call, WriteLimits(), patience([])) == 7
    with pytest.raises(OperationFailure, match="sort"):
        patiently(lambda: (_ for _ in ()).throw(OperationFailure("sort", 2)), WriteLimits())


def test_the_pause_is_read_from_the_text() -> None:
    assert retry_after_seconds(MESSAGE) == 0.008
    assert retry_after_seconds("Error=16500, Details='Insert error.'") is None


@pytest.mark.parametrize(
    ("sizes", "request_bytes", "expected"),
    [
        ([10, 10, 10], 10_000, [3]),
        ([1_000] * 5, 3_000, [2, 2, 1]),
        ([5_000, 10, 10], 3_000, [1, 2]),
        ([10] * (MOST_OPERATIONS + 1), 10**9, [MOST_OPERATIONS, 1]),
        ([], 100, []),
    ],
)
def test_batches_fit_into_a_request(sizes: list[int], request_bytes: int, expected: list[int]) -> None:
    encoded = [Encoded.of({"_id": number, "raw": bytes(size)}) for number, size in enumerate(sizes)]
    cut = list(batches(encoded, request_bytes))
    assert [len(batch) for batch in cut] == expected
    assert [document.id for batch in cut for document in batch] == list(range(len(sizes)))
    assert all(len(batch) == 1 or sum(document.size for document in batch) <= request_bytes for batch in cut)


@pytest.mark.parametrize("before", range(270, 300, 3))
def test_a_stores_text_is_cut_between_secrets(before: int) -> None:
    load_settings(scoring_key="qX7pL9zRwN4v")
    store = Store([0], code=121, message=f"{'x' * before}qX7pL9zRwN4v and more")
    (refused,) = upsert_all(store, documents(1), WriteLimits())  # type: ignore[arg-type]
    assert "x" * 270 in refused.reason
    assert "qX" not in refused.reason
