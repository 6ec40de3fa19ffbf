from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise, repeat

import orjson

from fraudstream.core.contract.event import FIELD_RULES, RULES, TIME, parse_event
from fraudstream.generator.simulators.payments.distributions import FRAUD_RATE
from fraudstream.generator.simulators.payments.transactions import (
    BLOCK,
    generate,
    history_dates,
    last_midnight,
    live_dates,
)

DATE = "24/11/2026 10:00:00"


def parse_date(text: str) -> datetime:
    form = RULES[TIME].time
    assert form is not None
    return form.parse(text)


def events(count: int, first_id: int = 1_000_000, seed: int = 7, labelled: bool = True) -> list[bytes]:
    return list(generate(count, first_id, seed, labelled=labelled, dates=repeat(DATE)))


def test_every_event_keeps_the_contract() -> None:
    parsed = [parse_event(value) for value in events(5_000)]
    assert [event.id for event in parsed] == list(range(1_000_000, 1_005_000))
    assert {event.fields["date"] for event in parsed} == {DATE}
    assert all(event.fields.keys() <= {rule.name for rule in FIELD_RULES} for event in parsed)
    frauds = sum(event.label or 0 for event in parsed)
    assert abs(frauds - FRAUD_RATE * 5_000) < 5 * (5_000 * 0.1 * 0.9) ** 0.5


def test_fields_stand_in_the_contracts_order() -> None:
    names = [rule.name for rule in FIELD_RULES]
    assert list(orjson.loads(events(1)[0])) == names
    assert list(orjson.loads(events(1, labelled=False)[0])) == [name for name in names if name != "isFraud"]


def test_money_has_two_decimals() -> None:
    text = events(1)[0].decode()
    for name in ("amount", "old_balance", "income"):
        number = text.split(f'"{name}":')[1].split(",")[0]
        assert len(number.split(".")[1]) == 2


def test_seeds_reproduce() -> None:
    assert events(300) == events(300)
    assert events(300, seed=8) != events(300)


def test_seed_and_id_decide_an_event() -> None:
    whole = events(2 * BLOCK)
    assert events(700, first_id=1_000_000 + BLOCK - 100) == whole[BLOCK - 100 : BLOCK + 600]
    assert list(islice(generate(None, 1_000_000, 7, labelled=True, dates=repeat(DATE)), 50)) == whole[:50]


def test_other_ids_have_other_rows() -> None:
    rows = {value.split(b'"amount"')[1] for value in events(3 * BLOCK)}
    assert len(rows) == 3 * BLOCK


def test_a_date_is_taken_when_the_event_is_asked_for() -> None:
    taken: list[int] = []

    def dates() -> Iterator[str]:
        for number in range(10):
            taken.append(number)
            yield DATE

    stream = generate(5, 1, 1, labelled=False, dates=dates())
    assert taken == []
    next(stream)
    assert taken == [0]
    next(stream)
    assert taken == [0, 1]


def test_history_covers_the_last_year_in_order() -> None:
    until = datetime(2026, 11, 24, tzinfo=UTC)
    moments = [parse_date(date) for date in history_dates(1_000, until)]
    assert moments == sorted(moments)
    assert moments[0] == until - timedelta(days=365)
    assert until - timedelta(hours=9) < moments[-1] < until
    gaps = {later - earlier for earlier, later in pairwise(moments)}
    assert max(gaps) - min(gaps) <= timedelta(seconds=1)


def test_last_midnight_is_todays_start() -> None:
    assert last_midnight(datetime(2026, 11, 24, 21, 5, 7, 9, UTC)) == datetime(2026, 11, 24, tzinfo=UTC)


def test_live_dates_are_the_present() -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    moment = parse_date(next(live_dates()))
    assert before <= moment <= datetime.now(UTC)
