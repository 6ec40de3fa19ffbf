"""Training waits for its history also where the store has no request units for a moment."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.errors import OperationFailure

from fraudstream.core import documents
from fraudstream.core.errors import StoreUnavailable
from fraudstream.core.settings import Settings
from fraudstream.core.throttling import TOO_MANY_REQUESTS
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


def store(monkeypatch: pytest.MonkeyPatch, transactions: Transactions) -> None:
    monkeypatch.setattr(documents, "database", lambda _settings: {documents.TRANSACTIONS: transactions})


def test_a_refused_request_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    transactions = Transactions()
    store(monkeypatch, transactions)
    await_history(Settings(), 20, pytest.fail)
    assert transactions.asked == 6


def test_any_other_error_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    store(monkeypatch, Transactions(code=13))
    with pytest.raises(StoreUnavailable, match="does not answer"):
        await_history(Settings(), 20, pytest.fail)
