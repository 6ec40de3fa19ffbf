"""The Spark rendering of the contract and the pydantic one agree on every kind of value."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as F

from fraudstream.core.contract.event import AMOUNT, FIELD_RULES, ID, parse_event
from fraudstream.core.contract.limits import LARGEST_SINGLE
from fraudstream.core.contract.topics import MAX_EVENT_BYTES
from fraudstream.core.errors import EventError
from fraudstream.spark.functions import DIMENSION_COLUMNS
from fraudstream.spark.validation import validate
from tests.events import GOOD, named, value

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.spark

ACCEPTED = {
    "as generated": value(),
    "an unknown field": value(merchant={"name": "café", "tags": [1, None]}),
    "a label": value(isFraud=1),
    "a null label": value(isFraud=None),
    "white space around": b" " + value() + b"\r\n",
    "over several lines": json.dumps(GOOD, indent=2).encode(),
    "an integer for money": value(income=3),
    "more digits than a double keeps": value().replace(b"12.5", b"12.3000000000000000001"),
    "an exponent": value().replace(b"12.5", b"1.25e1"),
    "an acquirer's reference of 23 digits": value(arn=74537605259536043849425),
    "an integer of 64 bits": value(n=18446744073709551615),
    "the largest single": value(amount=LARGEST_SINGLE),
    "dots, and no name": value(**{"merchant.name": "x", "": 0, "a.$b": 1}),
    "nested 90 deep": value()[:-1] + b', "x": ' + b'{"a":' * 90 + b"1" + b"}" * 90 + b"}",
    "a leap day": value(date="29/02/2024 00:00:00"),
    "a character outside the basic plane": value(note="\U0001f600"),
    "the replacement character": value(note="\ufffd").replace(b"\\ufffd", "\ufffd".encode()),
}
REJECTED = {
    "empty": (b"", "value"),
    "only white space": (b"  ", "value"),
    "binary": (b"\xff\xfe\x00", "value"),
    "broken": (value()[:-5], "value"),
    "single quotes": (str(GOOD).encode(), "value"),
    "a number": (b"12", "value"),
    "null": (b"null", "value"),
    "an array": (b"[" + value() + b"]", "value"),
    "two objects": (value() + value(), "value"),
    "two objects with a comma": (value() + b"," + value(), "value"),
    "a byte order mark": (b"\xef\xbb\xbf" + value(), "value"),
    "text for an integer": (value(id="1"), named("id")),
    "an integer of 64 bits and more": (value(id=2**63), named("id")),
    "a negative id": (value(id=-1), named("id")),
    "a float for an integer": (value(credit=1.0), named("credit")),
    "a boolean for an integer": (value(children=True), named("children")),
    "text for a number": (value(amount="12.5"), named("amount")),
    "an object for a number": (value(income={"a": 1}), named("income")),
    "NaN": (value(amount=float("nan")), named("amount")),
    "infinity": (value(old_balance=float("inf")), named("old_balance")),
    "minus infinity": (value(old_balance=float("-inf")), named("old_balance")),
    "a number too large for a double": (value().replace(b"12.5", b"1e400"), named("amount")),
    "negative money": (value(amount=-0.01), named("amount")),
    "a month too many": (value(month=13), named("month")),
    "an unknown day": (value(day_of_week="Monday"), named("day_of_week")),
    "a number for a day": (value(day_of_week=3), named("day_of_week")),
    "an unknown category": (value(category_recipient="casino"), named("category_recipient")),
    "a day that does not exist": (value(date="31/02/2026 10:11:12"), named("date")),
    "an hour that does not exist": (value(date="01/02/2026 24:00:00"), named("date")),
    "another date format": (value(date="2026-02-01T10:11:12"), named("date")),
    "single digits in a date": (value(date="1/2/2026 10:11:12"), named("date")),
    "the year 0": (value(date="01/01/0000 10:11:12"), named("date")),
    "a label of 2": (value(isFraud=2), named("isFraud")),
    "a label in text": (value(isFraud="1"), named("isFraud")),
    "a reserved name": (value(source="web"), "source"),
    "an amount beyond single precision": (value(amount=1e39), named("amount")),
    "more digits than a document keeps": (value().replace(b"12.5", b"12." + b"3" * 34), named("amount")),
    "a name that is an operator": (value(**{"$schema": "https://x/tx.json"}), "$schema"),
    "an operator deep inside": (value(x=[{"$oid": 1}]), "x"),
    "a NUL in a name": (value(x={"a\0b": 1}), "x"),
    "more digits than any document keeps": (value()[:-1] + b', "arn": ' + b"7" * 35 + b"}", "arn"),
    "a field twice, deep inside": (value()[:-1] + b', "x": [{"a": 1, "a": 1}]}', "value"),
    "half a character in a name deep inside": (value()[:-1] + b', "x": {"\\ud83d": 1}}', "value"),
    "nested too deep": (value()[:-1] + b', "x": ' + b"[" * 150 + b"]" * 150 + b"}", "value"),
    "too many fields": (value(x={str(n): n for n in range(10_001)}), "value"),
    "small integers that grow in BSON": (value()[:-1] + b', "x": [' + b"1," * 400_000 + b"1]}", "value"),
    "forty characters that are no JSON": ("\U0001f600".encode() * 40, "value"),
    "an escape that only some readers take": (value()[:-1] + ', "x": "\\u00ı1"}'.encode(), "value"),
    "half a character": (value()[:-1] + b', "note": "\\ud83d"}', "value"),
    **{f"without {rule.name}": (value(without=rule.name), rule.name) for rule in FIELD_RULES if rule.required},
    **{f"{rule.name} null": (value(**{rule.name: None}), rule.name) for rule in FIELD_RULES if rule.required},
}


@pytest.fixture(scope="module")
def reasons(spark: SparkSession) -> dict[str, tuple[str | None, str]]:
    cases = ACCEPTED | {name: raw for name, (raw, _) in REJECTED.items()}
    rows = spark.createDataFrame([(name, bytearray(raw)) for name, raw in cases.items()], "name STRING, value BINARY")
    return {row["name"]: (row["reason"], row["field"]) for row in validate(rows).drop("event_time").collect()}


@pytest.mark.parametrize("name", ACCEPTED)
def test_accepts(name: str, reasons: dict[str, tuple[str | None, str]]) -> None:
    assert reasons[name][0] is None
    assert parse_event(ACCEPTED[name]).id == GOOD[ID]


@pytest.mark.parametrize("name", REJECTED)
def test_rejects_with_the_name_of_the_field(name: str, reasons: dict[str, tuple[str | None, str]]) -> None:
    raw, field = REJECTED[name]
    reason, place = reasons[name]
    assert reason is not None
    assert (place, reason.split(":")[0]) == (field, field)
    with pytest.raises(EventError) as refused:
        parse_event(raw)
    assert str(refused.value) == reason


def test_reasons_show_the_value_and_what_was_expected(spark: SparkSession) -> None:
    rows = spark.createDataFrame([(bytearray(value(amount="12.5")),)], "value BINARY")
    reason = validate(rows).first()["reason"]
    assert reason == f'{AMOUNT}: expected a finite number from 0 to {LARGEST_SINGLE}, got the text "12.5"'


def test_what_is_stricter_than_the_model(spark: SparkSession) -> None:
    """JSON that readers understand differently is refused: a field that stands twice, NaN in an unknown field."""
    twice = value()[:-1] + f', "{AMOUNT}": 99.0}}'.encode()
    rows = spark.createDataFrame([(bytearray(twice),), (bytearray(value(extra=float("nan"))),)], "value BINARY")
    reasons = [row["reason"] for row in validate(rows).select("reason").collect()]
    assert reasons[0] == "value: a field stands twice"
    assert reasons[1].startswith("value: an unknown field holds what JSON does not have")


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (value(income={"a": [1, {"b": "}"}]}), '{"a": [1, {"b": "}"}]}'),
        (value(income=[1, 2]), "[1, 2]"),
        (value(income=True), "true"),
        (value(income=float("-inf")), "-Infinity"),
        (value(income="x" * 100), 'the text "' + "x" * 60 + '"'),
        (value().replace(b"2000.0", b"1e400"), "1e400"),
    ],
)
def test_a_reason_shows_the_value_as_it_was_written(spark: SparkSession, raw: bytes, shown: str) -> None:
    reason = validate(spark.createDataFrame([(bytearray(raw),)], "value BINARY")).first()["reason"]
    assert reason == f"{named('income')}: expected a finite number from 0 to {LARGEST_SINGLE}, got {shown}"


def test_nan_deep_inside_an_unknown_field_is_noticed(spark: SparkSession) -> None:
    raw = value(extra={"deep": [1, {"deeper": float("nan")}]})
    reason = validate(spark.createDataFrame([(bytearray(raw),)], "value BINARY")).first()["reason"]
    assert reason.startswith("value: an unknown field holds what JSON does not have")


def test_all_of_an_event_is_read(spark: SparkSession) -> None:
    row = validate(spark.createDataFrame([(bytearray(value(isFraud=1)),)], "value BINARY")).first()
    counted = {column: GOOD[name] for name, column in DIMENSION_COLUMNS.items()}
    assert row["event"].asDict() == {"id": GOOD[ID], "amount": GOOD[AMOUNT], "label": 1, **counted}
    assert row["event_time"].astimezone(UTC) == datetime(2026, 11, 24, 10, 11, 12, tzinfo=UTC)


def test_an_oversized_value_is_refused_unread(spark: SparkSession) -> None:
    rows = spark.range(1).select(F.lit(b"x" * (2 * 1024 * 1024)).alias("value"))
    row = validate(rows).first()
    assert row["reason"] == f"value: 2097152 bytes, more than the {MAX_EVENT_BYTES} an event may have"
    assert row["event"]["id"] is None
