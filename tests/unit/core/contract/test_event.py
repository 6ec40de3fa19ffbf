"""The event contract: its rules, its strictness, and the schemas derived from it."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from fraudstream.core.contract import event
from fraudstream.core.contract.field_rules import FieldRule
from fraudstream.core.contract.limits import LARGEST_SINGLE
from fraudstream.core.errors import EventError
from tests.events import named, renamed

VALID: dict[str, Any] = renamed(
    {
        "id": 1_000_001,
        "date": "29/02/2024 23:59:59",
        "amount": 12.5,
        "old_balance": 0,
        "income": 1800.0,
        "credit": 2,
        "marital_status": 1,
        "children": 4,
        "month": 12,
        "day_of_week": "thursday",
        "category_recipient": "food_store",
        "transaction_type": "online",
        "transaction_method": "internet_payement",
        "foreign_transaction": 0,
    }
)
INTEGERS = tuple(map(named, ("id", "credit", "marital_status", "children", "month", "foreign_transaction", "isFraud")))
NUMBERS = tuple(map(named, ("amount", "old_balance", "income")))
TEXTS = tuple(map(named, ("day_of_week", "category_recipient", "transaction_type", "transaction_method")))


def read(**changes: Any) -> event.Event:
    return event.parse_event(json.dumps(VALID | renamed(changes)))


def test_a_valid_event_is_read_whole() -> None:
    transaction = event.parse_event(json.dumps(VALID).encode())
    assert transaction.fields == VALID
    assert transaction.time == datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC)
    assert transaction.label is None


def test_unknown_fields_are_kept() -> None:
    transaction = read(device="terminal-7", nested={"a": [1, None]})
    assert {name: transaction.fields[name] for name in ("device", "nested")} == {
        "device": "terminal-7",
        "nested": {"a": [1, None]},
    }


@pytest.mark.parametrize("name", INTEGERS)
@pytest.mark.parametrize("value", ["1", 1.0, True, [1], {}])
def test_only_an_integer_is_an_integer(name: str, value: Any) -> None:
    with pytest.raises(EventError, match=f"^{re.escape(name)}: "):
        read(**{name: value})


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", ["1.5", True, None, float("nan"), float("inf"), float("-inf"), -0.01, 10**400])
def test_money_is_a_finite_number_of_zero_or_more(name: str, value: Any) -> None:
    with pytest.raises(EventError, match=f"^{re.escape(name)}: "):
        read(**{name: value})


@pytest.mark.parametrize("name", NUMBERS)
def test_money_may_be_written_without_decimals(name: str) -> None:
    assert read(**{name: 7}).fields[name] == 7.0


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("value", ["", "Monday", "ONLINE", " phone", 1, None, ["online"]])
def test_texts_come_from_their_lists(name: str, value: Any) -> None:
    with pytest.raises(EventError, match=f"^{re.escape(name)}: "):
        read(**{name: value})


@pytest.mark.parametrize(
    "value",
    [
        "31/02/2026 10:00:00",
        "29/02/2026 10:00:00",
        "01/13/2026 10:00:00",
        "01/01/0000 10:00:00",
        "01/01/2026 24:00:00",
        "01/01/2026 10:00:60",
        "1/1/2026 10:00:00",
        "2026-01-01 10:00:00",
        "01/01/2026 10:00",
        "01/01/2026 10:00:00\n",
        "٠١/01/2026 10:00:00",
        "",
        20260101,
        None,
    ],
)
def test_a_date_that_does_not_exist_or_is_written_otherwise_is_refused(value: Any) -> None:
    with pytest.raises(EventError, match=f"^{named('date')}: "):
        read(date=value)


@pytest.mark.parametrize("rule", [rule for rule in event.FIELD_RULES if rule.minimum is not None], ids=lambda r: r.name)
def test_the_limits_of_the_rules_are_the_limits_of_the_reader(rule: FieldRule) -> None:
    assert rule.minimum is not None
    assert read(**{rule.name: rule.minimum}).fields[rule.name] == rule.minimum
    with pytest.raises(EventError, match=f"^{re.escape(rule.name)}: "):
        read(**{rule.name: rule.minimum - 1})
    if rule.maximum is not None:
        assert read(**{rule.name: rule.maximum}).fields[rule.name] == rule.maximum
        with pytest.raises(EventError, match=f"^{re.escape(rule.name)}: "):
            read(**{rule.name: rule.maximum + 1 if rule.kind == "int" else math.nextafter(rule.maximum, math.inf)})


@pytest.mark.parametrize("rule", [rule for rule in event.FIELD_RULES if rule.choices], ids=lambda rule: rule.name)
def test_every_choice_of_a_rule_is_read(rule: FieldRule) -> None:
    assert [read(**{rule.name: choice}).fields[rule.name] for choice in rule.choices] == list(rule.choices)


@pytest.mark.parametrize("name", VALID)
def test_a_missing_field_is_named(name: str) -> None:
    incomplete = {key: value for key, value in VALID.items() if key != name}
    with pytest.raises(EventError, match=f"^{re.escape(name)}: missing, expected "):
        event.parse_event(json.dumps(incomplete))


@pytest.mark.parametrize(
    "value", [b"", b"{", b"[]", b"null", b"7", b"\xff\xfe", b"\xef\xbb\xbf{}", b'{"id": 1}x', b"[" * 10_000]
)
def test_what_is_no_json_object_is_refused_as_a_value(value: bytes) -> None:
    with pytest.raises(EventError, match=r"^value: "):
        event.parse_event(value)


@pytest.mark.parametrize("label", [0, 1, None])
def test_a_label_may_be_there(label: int | None) -> None:
    assert read(isFraud=label).label == label


def test_the_rules_cover_the_fields_in_order() -> None:
    assert [rule.name for rule in event.FIELD_RULES] == [*VALID, named("isFraud")]
    kinds = {rule.name: rule.kind for rule in event.FIELD_RULES}
    assert {name for name, kind in kinds.items() if kind == "int"} == set(INTEGERS)
    assert {name for name, kind in kinds.items() if kind == "float"} == set(NUMBERS)
    assert {name for name, kind in kinds.items() if kind == "text"} == set(TEXTS)
    assert {name for name, kind in kinds.items() if kind == "time"} == {named("date")}
    assert [rule.name for rule in event.FIELD_RULES if not rule.required] == [named("isFraud")]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("id", "an integer of 0 or more"),
        ("date", "a date dd/mm/YYYY HH:MM:SS"),
        ("amount", f"a finite number from 0 to {LARGEST_SINGLE}"),
        ("month", "an integer from 1 to 12"),
        ("isFraud", "an integer from 0 to 1"),
        ("transaction_type", "one of online, onsite"),
    ],
)
def test_a_rule_says_what_it_expects(name: str, words: str) -> None:
    assert {rule.name: rule.expectation for rule in event.FIELD_RULES}[named(name)] == words


def test_the_features_are_the_fields_that_describe_the_transaction() -> None:
    assert tuple(name for name in VALID if name not in (event.ID, event.TIME)) == event.FEATURES


def test_every_field_has_a_type_in_spark() -> None:
    assert {rule.name: rule.spark_type for rule in event.FIELD_RULES} == {
        **dict.fromkeys(INTEGERS, "BIGINT"),
        **dict.fromkeys(NUMBERS, "DOUBLE"),
        **dict.fromkeys([*TEXTS, named("date")], "STRING"),
    }


@pytest.mark.parametrize("name", event.RESERVED_FIELDS)
def test_a_sender_cannot_use_a_name_that_the_system_writes(name: str) -> None:
    with pytest.raises(EventError, match=f"^{name}: a name reserved for the decision$"):
        read(**{name: 1})


def test_no_field_of_the_event_is_reserved() -> None:
    assert not {rule.name for rule in event.FIELD_RULES} & set(event.RESERVED_FIELDS)


def test_a_plain_event_is_one_that_the_gate_takes() -> None:
    plain = event.plain_event()
    read = event.parse_event(json.dumps(plain))
    assert dict(read.fields) == plain
    assert read.label is None
