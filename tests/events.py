"""Events that tests share."""

from __future__ import annotations

import json
from typing import Any

GOOD: dict[str, Any] = {
    "id": 1_001_000,
    "date": "24/11/2026 10:11:12",
    "amount": 12.5,
    "old_balance": 1000.0,
    "income": 2000.0,
    "credit": 1,
    "marital_status": 0,
    "children": 2,
    "month": 11,
    "day_of_week": "tuesday",
    "category_recipient": "restaurant",
    "transaction_type": "online",
    "transaction_method": "internet_payement",
    "foreign_transaction": 0,
}


def value(without: str = "", **changes: Any) -> bytes:
    """A good event's JSON with fields changed, added or left out."""
    return json.dumps({name: field for name, field in (GOOD | changes).items() if name != without}).encode()
