"""Random small streams: what the engine gives equals what the definitions of windows, joins and OVER give."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence

import pytest

from tests.asaql import engine
from tests.asaql.conformance import Case, difference
from tests.asaql.definitions import (
    HALVES,
    Event,
    Row,
    history,
    hopping,
    in_order,
    is_first,
    joined,
    moment,
    sessions,
    sliding,
    windows,
)
from tests.asaql.engine import Outcome

_STREAMS = 30
_AGGREGATES = (
    "COUNT(*) AS rows, COUNT(v) AS vals, SUM(v) AS total, MIN(v) AS low, MAX(v) AS high, AVG(v) AS mean, "
    "COUNT(DISTINCT v) AS kinds, System.Timestamp() AS till"
)


def stream(chance: random.Random, longest: int = 18) -> list[Event]:
    """Events within half a minute: many ties and boundaries, some NULLs; values are halves, so that sums are exact."""
    values: Sequence[int | float | None] = (None, -3, 0, 1, 2, 7, -1.5, 0.5, 4.5)
    return [
        Event(number, chance.randrange(-8, 60), chance.choice(["a", "b", "c", None]), chance.choice(values))
        for number in range(chance.randrange(longest + 1))
    ]


def grouped(chance: random.Random, events: Sequence[Event]) -> Case:
    """All kinds of windows over one stream, with and without its key."""
    size, hop, offset, timeout = (chance.randrange(1, 12) for _ in range(4))
    ms = 1000 // HALVES
    from_input = "FROM Input TIMESTAMP BY at GROUP BY"
    of_window = {
        "tumbling": f"TumblingWindow(ms, {size * ms})",
        "hopping": f"HoppingWindow(Duration(ms, {size * ms}), Hop(ms, {hop * ms}), Offset(ms, {offset * ms}))",
        "sliding": f"SlidingWindow(ms, {size * ms})",
        "snapshot": "System.Timestamp()",
    }
    session = f"SessionWindow(ms, {timeout * ms}, 3600000)"
    queries = [
        " ".join(("SELECT", keys, _AGGREGATES, f"INTO {name}{by_key:d}", from_input, keys, window))
        for name, window in of_window.items()
        for by_key, keys in ((False, ""), (True, "k,"))
    ]
    queries += [
        " ".join(("SELECT k,", _AGGREGATES, "INTO session0", from_input, "k,", session)),
        " ".join(("SELECT k,", _AGGREGATES, "INTO session1", from_input, "k,", session, "OVER (PARTITION BY k)")),
    ]
    expected: dict[str, Iterable[Row]] = {
        "session0": sessions(events, timeout, own=False),
        "session1": sessions(events, timeout, own=True),
    }
    for by_key in (False, True):
        expected |= {
            f"tumbling{by_key:d}": windows(events, hopping(size, size), by_key=by_key),
            f"hopping{by_key:d}": windows(events, hopping(size, hop, offset), by_key=by_key),
            f"sliding{by_key:d}": sliding(events, size, by_key=by_key),
            f"snapshot{by_key:d}": windows(events, lambda event: [event.time], by_key=by_key),
        }
    return case(";\n".join(queries), {"Input": events}, expected)


def paired(chance: random.Random, left: Sequence[Event], right: Sequence[Event]) -> Case:
    """Inner and left joins of two streams."""
    low = chance.randrange(-6, 4)
    high = max(0, low + chance.randrange(8))
    pairs = "SELECT a.n AS a, b.n AS b, System.Timestamp() AS t"
    on = f"ON a.k = b.k AND DATEDIFF(second, a, b) BETWEEN {low} AND {high}"
    query = ";\n".join(
        f"{pairs} INTO o{word} FROM First a TIMESTAMP BY at {word} JOIN Second b TIMESTAMP BY at {on}"
        for word in ("INNER", "LEFT")
    )
    expected = {
        "oINNER": joined(left, right, low, high, outer=False),
        "oLEFT": joined(left, right, low, high, outer=True),
    }
    return case(query, {"First": left, "Second": right}, expected)


def analysed(chance: random.Random, events: Sequence[Event]) -> Case:
    """LAG, LAST, ISFIRST and aggregates with OVER, by key or not, with a condition or without."""
    limit, offset, interval = chance.randrange(1, 20), chance.randrange(1, 4), chance.randrange(1, 8)
    by_key, is_limited = chance.random() < 0.5, chance.random() < 0.5
    ms = 1000 // HALVES
    partition = "PARTITION BY k " if by_key else ""
    over = f"OVER ({partition}LIMIT DURATION(ms, {limit * ms}){' WHEN v > 0' if is_limited else ''})"
    first = f" OVER ({partition.strip()})" if by_key else ""
    columns = (
        "n",
        "System.Timestamp() AS t",
        f"LAG(n, {offset}, -1) {over} AS lag",
        f"LAST(n, -1) {over} AS last",
        f"ISFIRST(ms, {interval * ms}){first} AS first",
        f"COUNT(*) {over} AS rows",
        *(f"{name}(v) {over} AS {name}" for name in ("SUM", "MIN", "MAX", "AVG")),
    )
    query = " ".join(("SELECT", ", ".join(columns), "INTO o FROM Input TIMESTAMP BY at"))

    def counts(event: Event) -> bool:
        return not is_limited or (event.value is not None and event.value > 0)

    rows = []
    ordered = in_order(events)
    for place, event in enumerate(ordered):
        seen = history(ordered, place, limit, by_key=by_key, when=counts)
        before = [earlier for earlier in seen if earlier is not event]
        values = [earlier.value for earlier in seen if earlier.value is not None]
        rows.append(
            {
                "n": event.number,
                "t": moment(event.time),
                "lag": before[-offset].number if len(before) >= offset else -1,
                "last": seen[-1].number if seen else -1,
                "first": is_first(ordered, place, interval, by_key=by_key),
                "rows": len(seen),
                "SUM": sum(values) if values else None,
                "MIN": min(values) if values else None,
                "MAX": max(values) if values else None,
                "AVG": sum(values) / len(values) if values else None,
            }
        )
    return case(query, {"Input": events}, {"o": rows})


def case(query: str, inputs: Mapping[str, Sequence[Event]], expected: Mapping[str, Iterable[Row]]) -> Case:
    return Case(
        file="definitions",
        name=str(hash((query, json.dumps([[event.row for event in events] for events in inputs.values()])))),
        construct="",
        rule="the definition",
        query=query,
        inputs={name: "\n".join(json.dumps(event.row) for event in events) for name, events in inputs.items()},
        outputs={name: "\n".join(json.dumps(row) for row in rows) for name, rows in expected.items()},
    )


def cases_of(seed: int) -> list[Case]:
    chance = random.Random(seed)
    return [
        grouped(chance, stream(chance)),
        paired(chance, stream(chance, 10), stream(chance, 10)),
        analysed(chance, stream(chance)),
    ]


CASES = {
    f"{seed}-{kind}": example for seed in range(_STREAMS) for kind, example in zip("wjo", cases_of(seed), strict=True)
}


@pytest.fixture(scope="session")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    return engine.outcomes(CASES.values(), tmp_path_factory.mktemp("definitions"))


@pytest.mark.parametrize("name", CASES)
def test_the_engine_gives_what_the_definitions_give(name: str, outcomes: dict[str, Outcome]) -> None:
    example = CASES[name]
    outcome = outcomes[example.id]
    assert "error" not in outcome, outcome
    differences = difference(example.outputs or {}, outcome["outputs"])
    assert not differences, f"{differences}\n{example.query}\n{dict(example.inputs)}"
