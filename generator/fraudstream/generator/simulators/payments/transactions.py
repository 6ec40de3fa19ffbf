"""Drawn rows as events: JSON values with the event's fields in their order.

An event depends on the seed and its id alone. A run that is cut into pieces or repeated makes the same transactions,
and two runs with the same seed never give the same row two ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import count as count_from
from itertools import islice

import numpy as np

from fraudstream.core.project.project import bundled
from fraudstream.generator.simulators.payments.distributions import LABEL, MONEY, sample

# Rows are drawn in blocks of ids. A block is small, so that the first event of a slow run comes at once.
BLOCK = 4_096
HISTORY_SPAN = timedelta(days=365)

# The events' own form, whichever project is in force.
_PAYMENTS = bundled("payments")
DATE_FORMAT = _PAYMENTS.definition.event.time_format
FIELDS = tuple(rule.name for rule in _PAYMENTS.rules)
_INTEGERS = frozenset(rule.name for rule in _PAYMENTS.rules if rule.kind == "int")


def generate(count: int | None, first_id: int, seed: int, *, labelled: bool, dates: Iterator[str]) -> Iterator[bytes]:
    """``count`` events (None: without end) as UTF-8 JSON, ids ascending from ``first_id``, ``isFraud`` if ``labelled``.

    A date is taken from ``dates`` when an event is asked for, not before. The events end when the dates do.
    """
    fields = FIELDS if labelled else tuple(name for name in FIELDS if name != LABEL)
    template = _template(fields)
    rows = _rows(first_id, seed, fields[2:])
    ids = count_from(first_id) if count is None else iter(range(first_id, first_id + count))
    for id_, row, date in zip(ids, rows, dates, strict=False):
        yield (template % (id_, date, *row)).encode()


def history_dates(count: int, until: datetime) -> Iterator[str]:
    """``count`` dates, ascending and evenly spread over the year that ends at ``until`` (UTC, exclusive)."""
    start = until - HISTORY_SPAN
    for number in range(count):
        yield date_text(start + HISTORY_SPAN * number / count)


def last_midnight(now: datetime) -> datetime:
    """The start of ``now``'s day: histories that are made on the same day have the same dates."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


def live_dates() -> Iterator[str]:
    """The present moment each time, without end."""
    while True:
        yield _second_text(int(datetime.now(UTC).timestamp()))


def date_text(moment: datetime) -> str:
    """An event's ``date``; fractions of a second are cut off."""
    return moment.strftime(DATE_FORMAT)


@lru_cache(maxsize=2)
def _second_text(timestamp: int) -> str:
    return date_text(datetime.fromtimestamp(timestamp, UTC))


def _rows(first_id: int, seed: int, names: tuple[str, ...]) -> Iterator[tuple[object, ...]]:
    skipped = first_id % BLOCK
    for block in count_from(first_id // BLOCK):
        columns = sample(BLOCK, np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(block,))))
        yield from islice(zip(*(columns[name].tolist() for name in names), strict=True), skipped, None)
        skipped = 0


def _template(fields: tuple[str, ...]) -> str:
    return "{" + ",".join(f'"{name}":{_format(name)}' for name in fields) + "}"


def _format(name: str) -> str:
    if name in MONEY:
        return "%.2f"
    # The listed texts need no escaping: they are plain ASCII without quotes.
    return "%d" if name in _INTEGERS else '"%s"'
