"""Names of rollup documents, which a job writes and a page reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from fraudstream.core.contract import rollups
from fraudstream.core.contract.event import FEATURES


def test_an_id_has_its_five_parts() -> None:
    start = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    assert rollups.rollup_id("minute", start, "live", "all", "all") == "minute|2026-01-02T03:04Z|live|all|all"


def test_a_total_has_no_start() -> None:
    assert rollups.rollup_id("total", None, "history", "month", "12") == "total||history|month|12"


def test_the_same_moment_has_the_same_id_in_every_zone() -> None:
    utc = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    elsewhere = utc.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert rollups.rollup_id("minute", elsewhere, "live", "hour", "3") == rollups.rollup_id(
        "minute", utc, "live", "hour", "3"
    )


def test_ids_sort_by_time() -> None:
    first = datetime(2026, 9, 30, 23, 59, tzinfo=UTC)
    ids = [rollups.rollup_id("minute", first + timedelta(minutes=n), "live", "all", "all") for n in range(3)]
    assert ids == sorted(set(ids))


def test_bins_are_named_by_their_edges() -> None:
    bins = rollups.amount_bins()
    assert bins[0] == "0-25"
    assert bins[-1] == "400+"
    assert len(bins) == len(rollups.AMOUNT_EDGES)


def test_bins_leave_no_gap() -> None:
    edges = [name.removesuffix("+").split("-") for name in rollups.amount_bins()]
    assert [low for low, *_ in edges[1:]] == [high for _, high in edges[:-1]]
    assert list(rollups.AMOUNT_EDGES) == sorted(set(rollups.AMOUNT_EDGES))


@pytest.mark.parametrize("dimension", rollups.EVENT_DIMENSIONS)
def test_event_dimensions_are_fields_of_the_event(dimension: str) -> None:
    assert dimension in FEATURES


def test_no_dimension_twice() -> None:
    assert len(set(rollups.DIMENSIONS)) == len(rollups.DIMENSIONS) == len(rollups.EVENT_DIMENSIONS) + 3


def test_no_two_cells_have_one_id_whatever_their_names_hold() -> None:
    cells = [("a|b", "c"), ("a", "b|c"), ("a%7Cb", "c"), ("a", "b%7Cc")]
    assert len({rollups.rollup_id("total", None, "live", *cell) for cell in cells}) == len(cells)
