"""What is rolled up, shared by the job that computes rollups and the pages that read them.

A rollup document's ``_id`` is ``period|start|origin|dimension|value``; its content is a whole state
(``transactions``, ``frauds``, ``amount``, ``fraud_amount``), never an increment, so that writing it twice changes
nothing. ``period`` is ``minute`` (tumbling windows of arrival time, ``start`` inclusive, UTC), ``total`` (``start``
absent), ``month`` or ``day``; these two are of the event's own time and start at midnight UTC. Days have the dimension
``all`` alone. ``origin`` is ``live`` (a fraud is a prediction of 1) or ``history`` (a fraud is a label of 1).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise

from fraudstream.core.contract.event import PROJECT
from fraudstream.core.project.reserved import ALL as ALL
from fraudstream.core.project.reserved import AMOUNT_BIN as AMOUNT_BIN
from fraudstream.core.project.reserved import HOUR as HOUR
from fraudstream.core.project.reserved import MONTH_OF_YEAR as MONTH_OF_YEAR
from fraudstream.core.project.reserved import WEEKDAY as WEEKDAY

PERIODS = ("minute", "total", "month", "day")
ORIGINS = ("live", "history")

# Dimensions that are fields of the event, and parts of its time as text, beside the other computed ones.
EVENT_DIMENSIONS: tuple[str, ...] = PROJECT.definition.dimensions.fields
TIME_DIMENSIONS: tuple[str, ...] = PROJECT.definition.dimensions.times
DIMENSIONS: tuple[str, ...] = (ALL, *EVENT_DIMENSIONS, *TIME_DIMENSIONS, AMOUNT_BIN)

# An event's own date is its sender's claim. Months and days count the ones within this span of the arrival, so that
# senders with wrong clocks cannot fill the state with dates; minutes and totals count every event.
OLDEST_EVENT_DAYS = 3 * 366
NEWEST_EVENT_DAYS = 1

# Lower edges of the amount's bins, and of the bins of other numbers that are dimensions; the last bin is open.
AMOUNT_EDGES: tuple[int | float, ...] = PROJECT.definition.dimensions.amount_edges
EDGES: Mapping[str, tuple[int | float, ...]] = {
    AMOUNT_BIN: AMOUNT_EDGES,
    **{name: edges for name, edges in PROJECT.definition.dimensions.edges.items() if name in EVENT_DIMENSIONS},
}


def bins(edges: Sequence[int | float]) -> tuple[str, ...]:
    """The bins' names in ascending order: ``0-25`` means 0 ≤ number < 25; the last one is open (``400+``).

    Numbers below the first edge count in the first bin.
    """
    closed = (f"{low}-{high}" for low, high in pairwise(edges))
    return (*closed, f"{edges[-1]}+")


def amount_bins() -> tuple[str, ...]:
    """The names of the amount's bins in ascending order."""
    return bins(AMOUNT_EDGES)


def counting_span(recorded_at: datetime, seconds: int) -> int:
    """The span of ``seconds`` in which the rollups count an id once, by the time of the record that brings it (UTC).

    It depends on that time alone, so that whoever knows two records of an event can tell whether both were counted.
    Spans are numbered by their starts, in seconds since 1970.
    """
    whole = math.floor(recorded_at.timestamp())
    return whole - whole % seconds


def rollup_id(period: str, start: datetime | None, origin: str, dimension: str, value: str) -> str:
    """The ``_id`` of a rollup document; ``start`` is timezone-aware.

    A ``|`` in a dimension or value is written as ``%7C``, and ``%`` as ``%25``, so that each cell has an id of its own.
    """
    moment = start.astimezone(UTC).strftime("%Y-%m-%dT%H:%MZ") if start else ""
    named, valued = (text.replace("%", "%25").replace("|", "%7C") for text in (dimension, value))
    return f"{period}|{moment}|{origin}|{named}|{valued}"
