"""What the rollups count of stored transactions, whatever others have stored among them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from bson import DatetimeMS, Decimal128

from fraudstream.core.contract.event import AMOUNT
from fraudstream.core.contract.rollups import EVENT_DIMENSIONS
from fraudstream.store import seeding

AT = datetime(2026, 5, 4, tzinfo=UTC)
GOOD: dict[str, Any] = {
    **{"_id": 1, "origin": "live", "prediction": 0, AMOUNT: 1.5},
    **{"enqueued_at": AT, "published_at": AT, "event_time": AT},
}


def counted(transaction: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = seeding.seed_table([transaction]).to_pylist()
    return rows


@pytest.mark.parametrize("odd", [DatetimeMS(2**62), DatetimeMS(-(2**62)), {"a": DatetimeMS(0)}, [1], Decimal128("NaN")])
@pytest.mark.parametrize(
    "name", ["enqueued_at", "published_at", "event_time", AMOUNT, EVENT_DIMENSIONS[0], "origin", "_id"]
)
def test_an_odd_value_keeps_no_other_document_from_being_counted(name: str, odd: Any) -> None:
    (row,) = counted(GOOD)
    assert (row["enqueued_at"], row["event_time"], row["amount"]) == (AT, AT, 1.5)
    rows = counted(GOOD | {name: odd})
    assert len(rows) == (0 if name in ("enqueued_at", "origin", "_id") else 1)
    if name in ("event_time", AMOUNT):
        assert rows[0]["amount" if name == AMOUNT else name] is None
