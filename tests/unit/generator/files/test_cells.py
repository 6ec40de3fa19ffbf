"""One value of a file becomes JSON by its field's rule, or stays as it stands for the contract to reject."""

from __future__ import annotations

import pytest

from fraudstream.core.contract.exact_json import NotFinite, Object, Written
from fraudstream.core.contract.field_rules import FieldRule
from fraudstream.core.contract.times import EPOCH, TimeForm
from fraudstream.generator.files.cells import Reading

WHOLE, NUMBER, TRUTH, TEXT = (FieldRule("field", kind) for kind in ("int", "float", "bool", "text"))  # type: ignore[arg-type]
DAY_FIRST = FieldRule("field", "time", time=TimeForm("%d/%m/%Y %H:%M"))
EPOCH_TIME = FieldRule("field", "time", time=TimeForm(EPOCH))


@pytest.mark.parametrize(
    ("rule", "cell", "written"),
    [
        (NUMBER, "1.10", "1.10"),
        (NUMBER, "0.082988013984790700", "0.082988013984790700"),
        (NUMBER, "+1.5", "1.5"),
        (NUMBER, ".5", "0.5"),
        (NUMBER, "5.", "5"),
        (NUMBER, "1,234,567.80", "1234567.80"),
        (NUMBER, "$-134.09", "-134.09"),
        (NUMBER, "12.50 €", "12.50"),
        (NUMBER, "4.53E+15", "4.53E+15"),
        (NUMBER, "12,50", '"12,50"'),
        (NUMBER, "007", '"007"'),
        (NUMBER, "Infinity", '"Infinity"'),
        (NUMBER, "ERROR", '"ERROR"'),
        (NUMBER, "NA", None),
        (NUMBER, "-", None),
        (NUMBER, NotFinite("NaN"), None),
        (NUMBER, None, None),
        (NUMBER, Written("0.1"), "0.1"),
        (WHOLE, "404.0", "404"),
        (WHOLE, "-0", "0"),
        (WHOLE, "1e+05", "100000"),
        (WHOLE, "9223372036854775807", "9223372036854775807"),
        (WHOLE, "9223372036854775808", '"9223372036854775808"'),
        (WHOLE, "12.5", '"12.5"'),
        (WHOLE, "00501", '"00501"'),
        (WHOLE, True, "1"),
        (TRUTH, "T", "true"),
        (TRUTH, "no", "false"),
        (TRUTH, "1.0", "true"),
        (TRUTH, "maybe", '"maybe"'),
        (TEXT, "007", '"007"'),
        (TEXT, Written("7.50"), '"7.50"'),
        (TEXT, "NA", '"NA"'),
        (TEXT, 'a "quoted"\nline\0', '"a \\"quoted\\"\\nline\\u0000"'),
        (DAY_FIRST, " 1/5/2018 3:04", '"01/05/2018 03:04"'),
        (EPOCH_TIME, "-86400", "-86400"),
        (EPOCH_TIME, "1e+05", "1e+05"),
        (EPOCH_TIME, "yesterday", '"yesterday"'),
        (FieldRule("field", "float", is_nullable=True), None, "null"),
        (None, Written("7"), "7"),
        (None, "7", '"7"'),
        (None, Object([("$a", Written("1.0")), ("b", [None, True])]), '{"a":1.0,"b":[null,true]}'),
    ],
)
def test_a_value_is_written_by_its_rule(rule: FieldRule | None, cell: object, written: str | None) -> None:
    assert Reading().converter(rule)(cell) == written


def test_behind_semicolons_a_comma_stands_before_the_decimals() -> None:
    convert = Reading(has_decimal_comma=True).converter(NUMBER)
    assert [convert(cell) for cell in ("12,50", "1.234,56", "12.50")] == ["12.50", "1234.56", "12.50"]


def test_of_an_id_no_digit_may_be_lost() -> None:
    """Excel shows long numbers as `4.53E+15` and has lost the rest of their digits."""
    convert = Reading(identities=frozenset({"field"})).converter(WHOLE)
    assert [convert(cell) for cell in ("4.53E+15", "4530000000000001", "17.0")] == [
        '"4.53E+15"',
        "4530000000000001",
        "17",
    ]


def test_fields_within_objects_have_their_own_rules() -> None:
    inner = FieldRule("outer.count", "int", path=("outer", "count"))
    label = FieldRule("outer.fraud", "bool", path=("outer", "fraud"))
    outer = FieldRule("outer", "object", fields=(inner, label))
    convert = Reading(special={"outer.fraud": lambda _: None}).converter(outer)
    value = Object([("count", Written("3.0")), ("fraud", True), ("other", "x")])
    assert convert(value) == '{"count":3,"other":"x"}'
