"""What is rolled up, shared by the job that computes rollups and the pages that read them.

A rollup document's ``_id`` is ``period|start|origin|dimension|value``; its content is a whole state
(``transactions``, ``frauds``, ``amount``, ``fraud_amount``), never an increment, so that writing it twice changes
nothing. ``period`` is ``minute`` (tumbling windows of arrival time, ``start`` inclusive, UTC) or ``total``
(``start`` absent). ``origin`` is ``live`` (a fraud is a prediction of 1) or ``history`` (a fraud is a label of 1).
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

PERIODS = ("minute", "total")
ORIGINS = ("live", "history")

ALL = "all"
HOUR = "hour"
AMOUNT_BIN = "amount_bin"
# Dimensions that are fields of the event, beside the computed ones (all, hour, amount_bin).
EVENT_DIMENSIONS = ("day_of_week", "month", "category_recipient", "transaction_type", "transaction_method")
DIMENSIONS = (ALL, *EVENT_DIMENSIONS, HOUR, AMOUNT_BIN)

# Lower edges of the amount bins; the last bin is open.
AMOUNT_EDGES = (0, 25, 50, 75, 100, 125, 150, 200, 250, 300, 400)


def amount_bins() -> tuple[str, ...]:
    """The bins' names in ascending order: ``0-25`` means 0 ≤ amount < 25; the last one is open (``400+``)."""
    closed = (f"{low}-{high}" for low, high in pairwise(AMOUNT_EDGES))
    return (*closed, f"{AMOUNT_EDGES[-1]}+")


def rollup_id(period: str, start: datetime | None, origin: str, dimension: str, value: str) -> str:
    """The ``_id`` of a rollup document; ``start`` is timezone-aware."""
    moment = start.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ") if start else ""
    return f"{period}|{moment}|{origin}|{dimension}|{value}"
