"""The canonical query without the gate before it: it rejects by the same field, and reads the same times.

What differs is listed here, and in docs/reference/query-parity.md.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from fraudstream.asaql.plan.compiling import compile_text
from fraudstream.asaql.template import project_texts, query_text
from fraudstream.core.contract.field_rules import FieldRule
from fraudstream.core.contract.gate import Gate
from fraudstream.core.contract.times import EPOCH, ISO, TimeForm
from fraudstream.core.contract.topics import MAX_EVENT_BYTES
from fraudstream.core.errors import EventError
from fraudstream.core.project.definition import Definition
from fraudstream.core.project.project import Project, bundled
from fraudstream.core.project.reserved import RESERVED_FIELDS
from tests.asaql.engine import run
from tests.generated_schemas import TIME, broken_events, good_event, made_schema

SEEDS = range(30)
START = datetime(2026, 1, 1, tzinfo=UTC)
SCORE = "function main(f) {return {prediction: 1, score: 0.5, threshold: 0.5, model_version: '1', reasons: []};}"
SOURCE = project_texts(bundled("payments"))["stream-analytics/Functions/source.js"]


class Told(NamedTuple):
    """An event, and the field and reason that the gate refuses it with; empty for a good one."""

    event: dict[str, Any]
    field: str
    reason: str


def project_of(rules: tuple[FieldRule, ...], form: TimeForm) -> Project:
    """A project with these rules, whose roles are all the event's time."""
    event = dict.fromkeys(("id", "time", "amount", "label"), TIME) | {"time_format": form.form}
    described = {"title": "t", "event": event | {"time_unit": form.unit}, "model": {"inputs": [TIME]}}
    return Project("p", Path(), Definition.model_validate(described), rules)


def verdicts_of(gate: Gate, event: dict[str, Any]) -> Told:
    try:
        gate.read(json.dumps(event).encode())
    except EventError as error:
        return Told(event, error.field, str(error))
    return Told(event, "", "")


def enqueued(place: int) -> str:
    return f"{START + timedelta(seconds=place):%Y-%m-%dT%H:%M:%S}.0000000Z"


def case(name: str, project: Project, events: Sequence[Told]) -> dict[str, Any]:
    """The events, one a second, for the query of a project; scripts stand for the model."""
    lines = [json.dumps(odd.event | {"EventEnqueuedUtcTime": enqueued(at)}) for at, odd in enumerate(events)]
    return {
        "name": name,
        "plan": compile_text(query_text(project), f"{name}.asaql").to_json(),
        "inputs": {"transactions": lines},
        "references": {},
        "functions": {"udf": {"score": SCORE, "source": SOURCE}},
    }


def verdicts(outcome: Any) -> dict[str, tuple[str, Any]]:
    """By the time at which an event was taken, the field that it was rejected for, and its event_time."""
    assert "error" not in outcome, outcome
    outputs = outcome["outputs"]
    assert [row["scored_at"] for row in outputs["alerts"]] == [row["scored_at"] for row in outputs["scored"]]
    scored = {row["scored_at"]: ("", row["event_time"]) for row in outputs["scored"]}
    return scored | {row["rejected_at"]: (row["field"], None) for row in outputs["rejected"]}


def differs_in_case_alone(rules: Sequence[FieldRule]) -> bool:
    names = [rule.path[-1].casefold() for rule in rules]
    return len(set(names)) < len(names) or any(differs_in_case_alone(rule.fields) for rule in rules)


def is_seen_by_the_gate_alone(odd: Told) -> bool:
    """A NULL is a missing field to the language, items of lists are not looked at, and such integers are no events."""
    nulls = odd.reason.endswith("got null") or ("missing" in odd.reason and odd.reason.endswith("or null"))
    return nulls or "[]" in odd.field or str(2**63) in json.dumps(odd.event)


def test_the_query_rejects_by_the_field_that_the_gate_names(tmp_path: Path) -> None:
    cases, events = [], {}
    for seed in SEEDS:
        schema = made_schema(seed, tmp_path)
        if differs_in_case_alone(schema.rules):
            continue
        gate, rng = Gate(schema.rules, RESERVED_FIELDS, MAX_EVENT_BYTES), random.Random(seed)
        events[str(seed)] = list(_events(gate, schema, rng))
        cases.append(case(str(seed), project_of(schema.rules, schema.form), events[str(seed)]))
    outcomes = run(cases, tmp_path)
    compared = 0
    for name, given in events.items():
        known = verdicts(outcomes[name])
        for at, odd in enumerate(given):
            if not is_seen_by_the_gate_alone(odd):
                assert known[enqueued(at)][0] == odd.field, (name, odd)
                compared += 1
    assert len(cases) > len(SEEDS) / 2
    assert compared > 1_000


def _events(gate: Gate, schema: Any, rng: random.Random) -> Iterator[Told]:
    for _ in range(3):
        good = good_event(schema, rng)
        yield verdicts_of(gate, good)
        yield from (verdicts_of(gate, broken.event) for broken in broken_events(schema, good, rng))


MOMENTS = [
    datetime(2026, 2, 3, 4, 5, 6, 789012, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(2024, 2, 29, 12, 0, 30, 500000, tzinfo=UTC),
    datetime(2068, 11, 30, 0, 0, 0, 120000, tzinfo=UTC),
]
TEXT_FORMS = [
    *("%d/%m/%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%m/%d/%y %I:%M %p", "%b %d, %Y %H:%M:%S", "%Y%m%dT%H%M%SZ", "%Y%m%d"),
    *(
        "%Y-%m-%d %H:%M:%S.%f",
        "%d.%m.%Y %H:%M:%S.%f %z",
        "%Y/%m/%dT%H:%M:%S%z",
        "%d-%b-%y %I:%M:%S%p",
        "%H.%M %d_%m_%Y",
    ),
    *("%Y-%m-%dT%H:%M:%S.%fZ", "100%% %Y [%m] %d", "%d %b %Y at %H:%M:%S.%f UTC"),
]
ODD_TEXTS = [
    *("", " ", "2026-02-30", "31/04/2026 10:00:00", "2026-02-03T04:05:06+02:00", "2026-02-03 04:05:06,7", "nonsense"),
    *("2026-02-03t04:05:06z", "2026-02-03T24:00:00Z", "2026-02-03T04:05", "2026-02-03", "13/02/26 13:05 PM", "00:00"),
    *(
        "02/03/26 00:05 AM",
        "02/03/26 12:05 am",
        "Fev 03, 2026 04:05:06",
        "FEB 03, 2026 04:05:06",
        "20260230",
        "2026-2-3",
    ),
    *("2026-02-03 04:05:06.", "2026-02-03 04:05:06.1x", "03.02.2026 04:05:06.5 +0200", "03.02.2026 04:05:06.5 Z"),
    *("03/02/2026 04:05:06x", "x03/02/2026 04:05:06", "03-02-2026 04:05:06", "2026-02-03T04:05:06-13:30", "7%"),
]
EPOCHS = [
    *(0, -1, 1_700_000_000, 1_700_000_000.123456, 1_700_000_000_123, 1e30, -1e30, 1.5, True, "1700000000"),
    *(253_402_300_800, 253_402_300_799, -62_135_596_800, -62_135_596_801, 2**62),
]


def test_the_query_reads_times_as_the_gate_does(tmp_path: Path) -> None:
    origin = datetime(2017, 12, 1, tzinfo=UTC)
    numbers = [TimeForm(EPOCH, unit) for unit in ("us", "ms", "s", "min", "h", "d")]
    forms = [TimeForm(ISO), *(TimeForm(form) for form in TEXT_FORMS), *numbers, TimeForm(EPOCH, "s", origin)]
    cases, events = [], {}
    for number, form in enumerate(forms):
        rules = (FieldRule(TIME, "time", required=True, time=form),)
        gate = Gate(rules, RESERVED_FIELDS, MAX_EVENT_BYTES)
        written = [form.write(moment) for moment in MOMENTS]
        values: list[Any] = [*written, *(EPOCHS if form.is_number else [*ODD_TEXTS, *map(_slightly_off, written)])]
        values += [None, {}, [], "" if form.is_number else 5]
        events[str(number)] = [verdicts_of(gate, {TIME: value}) for value in values]
        cases.append(case(str(number), project_of(rules, form), events[str(number)]))
    outcomes = run(cases, tmp_path)
    for number, form in enumerate(forms):
        known = verdicts(outcomes[str(number)])
        for at, odd in enumerate(events[str(number)]):
            if "more digits" in odd.reason or known.get(enqueued(at)) is None:
                # A number that the language has no type for: no event.
                assert str(odd.event[TIME]) in ("1e+30", "-1e+30"), (form, odd)
                continue
            field, moment = known[enqueued(at)]
            assert field == odd.field, (form, odd, moment)
            if not field:
                # Of fractions of a unit, the query's numbers may lose a microsecond.
                most = timedelta(microseconds=isinstance(odd.event[TIME], float))
                read = datetime.fromisoformat(moment.replace("0Z", "+00:00"))
                assert abs(read - form.parse(odd.event[TIME])) <= most, (form, odd)


def _slightly_off(written: Any) -> str:
    return f"{written}0" if written else "0"
