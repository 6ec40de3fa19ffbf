"""The line of time: the same transactions however they are taken, in their order, from history on into live traffic."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice, pairwise

import numpy as np
import orjson
import pytest

from fraudstream.core.contract.gate import Gate
from fraudstream.core.contract.topics import MAX_EVENT_BYTES
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.project import bundled
from fraudstream.core.project.reserved import RESERVED_FIELDS
from fraudstream.generator.simulators import cards
from fraudstream.generator.simulators.cards import time_line
from fraudstream.generator.simulators.cards.events import FIELDS, Writer
from fraudstream.generator.simulators.cards.rows import Rows
from fraudstream.generator.simulators.cards.world import World, build_world

pytestmark = pytest.mark.timeless

NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
WORLD = build_world(5, 300)
WITH_LABEL = ("is_fraud", "campaign")


def history(count: int, first_id: int = cards.FIRST_ID, seed: int = 5) -> list[bytes]:
    return list(cards.history(count, first_id, seed, NOW))


def written(world: World, count: int, most: int) -> Iterator[bytes]:
    writer, first_id = Writer(world.terminals, labelled=True), cards.FIRST_ID
    for season, rows in time_line.rows(world, count=count, most=most):
        yield from writer.events(season, rows, first_id)
        first_id += len(rows)


@pytest.mark.parametrize("most", [1, 977, 100_000])
def test_the_bytes_do_not_depend_on_how_many_are_taken_at_a_time(most: int) -> None:
    assert list(written(WORLD, 3_000, most)) == list(written(WORLD, 3_000, 1 << 14))


def test_the_seed_and_the_id_decide_an_event() -> None:
    whole = history(4_000)
    assert history(4_000) == whole
    assert history(500, cards.FIRST_ID + 3_333) == whole[3_333:3_833]
    assert history(500, seed=6) != whole[:500]


def test_live_traffic_goes_on_where_history_ends_and_has_no_label() -> None:
    whole = [orjson.loads(value) for value in history(4_000)]
    live = [orjson.loads(value) for value in islice(cards.live(None, cards.FIRST_ID + 3_000, 5), 1_000)]
    for event in whole:
        del event["is_fraud"], event["campaign"]
    assert live == whole[3_000:]


def test_ids_and_times_ascend() -> None:
    events = [orjson.loads(value) for value in history(4_000)]
    assert [event["id"] for event in events] == list(range(cards.FIRST_ID, cards.FIRST_ID + 4_000))
    assert all(first["made_at"] <= later["made_at"] for first, later in pairwise(events))
    assert events[0]["made_at"].startswith("2026-01-01T00:")


def test_every_event_keeps_the_contract_in_the_schemas_order() -> None:
    gate = Gate(bundled("cards").rules, RESERVED_FIELDS, MAX_EVENT_BYTES)
    values = history(2_000)
    assert all(list(gate.read(value)) == list(FIELDS) for value in values)
    assert list(orjson.loads(next(cards.live(1, cards.FIRST_ID, 5)))) == [
        name for name in FIELDS if name not in WITH_LABEL
    ]


def test_the_campaign_goes_with_the_label_and_no_model_is_given_either() -> None:
    events = [orjson.loads(value) for value in history(8_000)]
    assert {(event["is_fraud"], event["campaign"] is not None) for event in events} == {(0, False), (1, True)}
    assert not set(WITH_LABEL) & set(bundled("cards").definition.model.inputs)


def test_outcomes_are_the_labels_of_the_same_ids() -> None:
    events = [orjson.loads(value) for value in history(2_000)][1_000:]
    outcomes = list(islice(cards.outcomes(cards.FIRST_ID + 1_000, 5), 1_000))
    assert [(outcome.id, outcome.label, outcome.campaign) for outcome in outcomes] == [
        (event["id"], event["is_fraud"], event["campaign"]) for event in events
    ]
    assert [outcome.made_at for outcome in outcomes] == [datetime.fromisoformat(event["made_at"]) for event in events]


def test_there_is_nothing_before_the_line_of_time() -> None:
    with pytest.raises(ConfigurationError, match=r"begins with the id 1000000.*no event 7"):
        next(cards.live(1, 7, 5))


def test_a_large_world_is_made_in_parts_of_a_day() -> None:
    """Memory is bounded by the world and by a block, whatever is asked for."""
    seasons, blocks = zip(*islice(time_line.blocks(build_world(5, 25_000)), 4), strict=True)
    assert [season.day for season in seasons] == [0, 0, 1, 1]
    assert max(len(block) for block in blocks) < 40_000


def test_transactions_of_a_world_scale_with_its_customers() -> None:
    days = [_days(build_world(5, customers), 14) for customers in (1_000, 4_000)]
    assert len(days[1]) / len(days[0]) == pytest.approx(4.0, rel=0.15)
    assert np.mean(days[1].campaign > 0) == pytest.approx(0.008, rel=0.35)


def _days(world: World, count: int) -> Rows:
    return Rows.joined(rows for _, rows in islice(time_line.blocks(world), count))
