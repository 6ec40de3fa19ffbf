"""Training waits for its history also where the store has no request units for a moment."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.errors import OperationFailure

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.documents import client as documents
from fraudstream.core.documents.write_errors import TOO_MANY_REQUESTS
from fraudstream.core.errors import ModelError, StoreUnavailable
from fraudstream.ml.history import await_history


class Transactions:
    """A collection of 20 that refuses every other request."""

    def __init__(self, code: int = TOO_MANY_REQUESTS) -> None:
        self.code = code
        self.asked = 0

    def answer(self, *_: Any) -> int:
        self.asked += 1
        if self.asked % 2:
            raise OperationFailure("Error=16500, RetryAfterMs=1", self.code)
        return 20

    find_one = estimated_document_count = count_documents = answer


class Collection:
    """A collection that grows: the counts, one a question, the last one for good."""

    def __init__(self, *counts: int) -> None:
        self.counts = list(counts)

    def answer(self, *_: Any) -> int:
        return self.counts.pop(0) if len(self.counts) > 1 else self.counts[0]

    find_one = estimated_document_count = count_documents = answer


def store(monkeypatch: pytest.MonkeyPatch, transactions: Any, rejected: Any = None) -> None:
    collections = {documents.TRANSACTIONS: transactions, documents.REJECTED: rejected}
    monkeypatch.setattr(documents, "database", lambda _settings: collections)


def test_a_refused_request_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    transactions = Transactions()
    store(monkeypatch, transactions)
    await_history(Settings(), 20, pytest.fail)
    assert transactions.asked == 6


def test_any_other_error_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    store(monkeypatch, Transactions(code=13))
    with pytest.raises(StoreUnavailable, match="does not answer"):
        await_history(Settings(), 20, pytest.fail)


def test_labels_that_were_rejected_are_not_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    store(monkeypatch, Collection(1, 5, 17), Collection(0, 1, 3))
    messages: list[str] = []
    await_history(Settings(), 20, messages.append, sleep=lambda _: None)
    assert messages[0] == "5 of 20 labelled transactions are stored"
    assert messages[1] == "17 of 20 labelled transactions are stored, 1 rejected"


def test_what_never_comes_is_not_awaited_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    store(monkeypatch, Collection(17), Collection(2))
    now = iter(range(0, 10_000, 100))
    with pytest.raises(ModelError, match=r"17 of 20 .*2 were rejected.* no more came for 600 s"):
        await_history(Settings(), 20, lambda _: None, clock=lambda: next(now), sleep=lambda _: None)
