from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from itertools import repeat

import orjson
import pytest

from fraudstream.core.contract.event import FIELD_RULES, ID, parse_event
from fraudstream.core.contract.field_rules import FieldRule
from fraudstream.core.contract.gate import Gate
from fraudstream.core.contract.times import TimeForm
from fraudstream.core.contract.topics import MAX_EVENT_BYTES
from fraudstream.core.errors import ConfigurationError, EventError
from fraudstream.generator.malformed import (
    DUPLICATE_ID,
    KEYLESS,
    KINDS,
    OVERSIZED,
    OVERSIZED_BYTES,
    Record,
    breaks_of,
    mix,
    with_unknown_field,
)
from fraudstream.generator.simulators.payments.transactions import generate

FIRST = 1_001_000


def values(count: int) -> Iterator[bytes]:
    return generate(count, FIRST, 3, labelled=False, dates=repeat("24/11/2026 10:00:00"))


def mixed(count: int, malformed: int, seed: int = 1) -> list[Record]:
    return list(mix(values(count), FIRST, count=count, malformed_count=malformed, seed=seed))


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return mixed(1_000, 40 * len(KINDS))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in (OVERSIZED, DUPLICATE_ID)])
def test_every_kind_is_refused_and_names_its_field(records: list[Record], kind: str) -> None:
    of_kind = [record for record in records if record.kind == kind]
    assert len(of_kind) == 40
    for record in of_kind:
        with pytest.raises(EventError) as refusal:
            parse_event(record.value)
        assert str(refusal.value).split(":")[0] == record.field, record.value


def test_oversized_values_are_events_above_the_limit(records: list[Record]) -> None:
    of_kind = [record for record in records if record.kind == OVERSIZED]
    assert len(of_kind) == 40
    assert {record.field for record in of_kind} == {"value"}
    assert all(len(record.value) == OVERSIZED_BYTES > MAX_EVENT_BYTES for record in of_kind)
    assert json.loads(of_kind[0].value)["id"] == of_kind[0].id


def test_duplicates_are_other_events_with_the_id_of_an_earlier_one(records: list[Record]) -> None:
    good: dict[int, Record] = {}
    count = 0
    for record in records:
        if record.kind is None:
            good[record.id] = record
        elif record.kind == DUPLICATE_ID:
            count += 1
            event = parse_event(record.value)
            assert event.id in good
            assert event.fields["amount"] != parse_event(good[event.id].value).fields["amount"]
            assert (record.key, record.field) == (str(event.id).encode(), ID)
    assert count == 40


def test_good_events_are_untouched_and_keyed_by_id(records: list[Record]) -> None:
    originals = list(values(1_000))
    assert [record.id for record in records] == list(range(FIRST, FIRST + 1_000))
    good = [record for record in records if record.kind is None]
    assert len(good) == 1_000 - 40 * len(KINDS)
    for record in good:
        assert record == Record(record.id, str(record.id).encode(), originals[record.id - FIRST])


def test_keys_are_missing_only_where_no_id_can_be_told(records: list[Record]) -> None:
    assert {record.kind for record in records if record.key is None} == KEYLESS


def test_malformed_records_are_spread_evenly() -> None:
    records = mixed(1_000, 100)
    tenths = Counter(number // 100 for number, record in enumerate(records) if record.kind)
    assert tenths == dict.fromkeys(range(10), 10)
    kinds = Counter(record.kind for record in records if record.kind)
    assert set(kinds) == set(KINDS)
    assert max(kinds.values()) - min(kinds.values()) <= 1


def test_variants_reach_every_required_field() -> None:
    records = mixed(10_000, 2_000 // len(KINDS) * len(KINDS))
    missing = {record.field for record in records if record.kind == "missing_field"}
    assert missing == {rule.name for rule in FIELD_RULES if rule.required}


@pytest.mark.parametrize(("count", "malformed"), [(1, 1), (17, 17), (40, 39), (100, 34)])
def test_duplicates_have_an_earlier_event_however_dense(count: int, malformed: int) -> None:
    for seed in range(20):
        records = mixed(count, malformed, seed)
        assert sum(record.kind is not None for record in records) == malformed
        assert len(records) == count


def test_mixing_reproduces() -> None:
    assert mixed(60, 20) == mixed(60, 20)
    assert mixed(60, 20, seed=2) != mixed(60, 20)


def test_records_are_made_one_at_a_time() -> None:
    taken: list[bytes] = []

    def counted() -> Iterator[bytes]:
        for value in values(10):
            taken.append(value)
            yield value

    stream = mix(counted(), FIRST, count=10, malformed_count=2)
    next(stream)
    assert len(taken) == 1


@pytest.mark.parametrize(("count", "message"), [(None, "endless run"), (3, "4 malformed .* 3 records")])
def test_malformed_records_need_a_place(count: int | None, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        mix(values(3), FIRST, count=count, malformed_count=4)


def test_an_unknown_field_is_valid_and_kept() -> None:
    value = next(values(1))
    extended = with_unknown_field(value)
    extra = parse_event(extended).fields
    assert extra is not None
    assert extra["merchant"]["name"] == "Café №7"
    known = orjson.loads(extended)
    del known["merchant"]
    assert known == orjson.loads(value)


WIDE = (
    FieldRule("key", "text", required=True, least_length=1, most_length=40),
    FieldRule("at", "time", required=True, time=TimeForm("epoch", "ms")),
    FieldRule("paid", "float", required=True),
    FieldRule("change", "float", required=True, minimum=-5.5, maximum=1e16),
    FieldRule("note", "text", required=True, is_nullable=True),
    FieldRule("kind of", "text", required=True, choices=("ONLINE", "", "b")),
    FieldRule("rank", "int", required=True, minimum=-3, maximum=7, is_below_maximum=True),
    FieldRule("fast", "bool", required=True),
    FieldRule("place", "object", required=True, fields=(FieldRule("place.city", "text", path=("place", "city")),)),
    FieldRule("tags", "array", required=True, items=FieldRule("tags", "text")),
    FieldRule("left", "int"),
)
WIDE_EVENT = {"key": "a/1", "at": 1764500000000, "paid": -1.5, "change": 0, "note": None, "kind of": "b", "rank": 0} | {
    "fast": True,
    "place": {"city": "Bonn"},
    "tags": ["x"],
}


def test_other_rules_are_broken_by_the_kinds_that_they_have() -> None:
    gate = Gate(WIDE, (), MAX_EVENT_BYTES)
    assert gate.read(orjson.dumps(WIDE_EVENT)) == WIDE_EVENT
    breaks, rng = breaks_of(WIDE), random.Random(1)
    assert set(breaks) == set(KINDS) - {DUPLICATE_ID}
    named: set[str] = set()
    for kind, break_ in breaks.items():
        for _ in range(60):
            value, field = break_(dict(WIDE_EVENT), rng)
            with pytest.raises(EventError) as refusal:
                gate.read(value)
            assert str(refusal.value).startswith(f"{field}: "), (kind, value[:200])
            named.add(field)
    assert named == {"value", *(rule.name for rule in WIDE if rule.required)}


def test_kinds_without_a_field_are_left_out() -> None:
    texts = breaks_of((FieldRule("key", "text", required=True, is_nullable=True),))
    assert "number_for_text" in texts
    assert {"text_for_number", "null_value", "unknown_value", "out_of_range", "impossible_date"}.isdisjoint(texts)
