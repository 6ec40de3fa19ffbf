"""``event.schema.json``: what each keyword makes of a field's rule, and what is refused by its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fraudstream.core.contract.event import RESERVED_FIELDS
from fraudstream.core.contract.field_rules import FieldRule, first_problem, leaves
from fraudstream.core.contract.times import EPOCH, ISO, TimeForm
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.event_schema import read_rules


def rules_of(folder: Path, schema: dict[str, Any], time: str = "when", form: str = ISO) -> tuple[FieldRule, ...]:
    (folder / "event.schema.json").write_text(json.dumps({"type": "object"} | schema), "utf-8")
    return read_rules(folder, time, TimeForm(form), RESERVED_FIELDS, {"known": ("a", "b")})


def rule_of(folder: Path, field: dict[str, Any], name: str = "field", required: bool = True) -> FieldRule:
    (rule,) = rules_of(folder, {"properties": {name: field}, "required": [name] * required})
    return rule


def problem(rule: FieldRule, value: Any) -> str | None:
    mistake = first_problem([rule], [(rule.path[-1], value, "")])
    return mistake and f"{mistake.field}: {mistake.explanation}"


@pytest.mark.parametrize(
    ("field", "good", "bad", "words"),
    [
        ({"type": "integer"}, [0, -(2**63), 2**63 - 1], [2**63, 1.0, "1", True, None], "an integer"),
        ({"type": "integer", "minimum": 1, "maximum": 12}, [1, 12], [0, 13], "an integer from 1 to 12"),
        ({"type": "integer", "exclusiveMinimum": 0}, [1], [0], "an integer above 0"),
        # Neighbours beyond what a double tells apart.
        ({"type": "integer", "maximum": 2**53}, [2**53], [2**53 + 1], f"an integer of {2**53} or less"),
        ({"type": "integer", "enum": [3, 5]}, [3, 5], [4], "one of 3, 5"),
        ({"type": "number"}, [0, -1.5, 1e308], [float("inf"), "1", True, None], "a finite number"),
        ({"type": "number", "exclusiveMaximum": 1.5}, [1.4], [1.5], "a finite number below 1.5"),
        ({"type": "number", "enum": [1, 2.5]}, [1, 1.0, 2.5], [2], "one of 1.0, 2.5"),
        ({"type": "number", "const": 2}, [2, 2.0], [1], "one of 2.0"),
        ({"type": "boolean"}, [True, False], [0, "true", None], "true or false"),
        ({"type": "boolean", "const": True}, [True], [False], "one of true"),
        ({"type": "string"}, ["", "é"], [1, None, []], "a text"),
        ({"type": "string", "enum": ["a"]}, ["a"], ["b", ""], "one of a"),
        # Lengths are code points.
        ({"type": "string", "minLength": 1, "maxLength": 2}, ["😀😀"], ["", "abc"], "a text of 1 to 2 characters"),
        ({"type": "string", "pattern": "^a$"}, ["a"], ["a\n", "ba"], "a text like ^a$"),
        ({"type": "string", "format": "ipv4"}, ["1.2.3.4"], ["1.2.3"], "a text like ipv4"),
        ({"type": ["number", "null"]}, [None, 1], ["1"], "a finite number or null"),
        ({"type": ["string", "null"], "enum": ["a", None]}, [None, "a"], ["b"], "one of a or null"),
    ],
)
def test_a_keyword_is_enforced(
    tmp_path: Path, field: dict[str, Any], good: list[Any], bad: list[Any], words: str
) -> None:
    rule = rule_of(tmp_path, field)
    assert rule.expectation == words
    assert [problem(rule, value) for value in good] == [None] * len(good)
    for value in bad:
        sentence = problem(rule, value)
        assert sentence is not None
        assert sentence.startswith("field: ")
        assert words in sentence


def test_fields_of_objects_and_items_of_lists_have_paths(tmp_path: Path) -> None:
    merchant = {"type": "object", "properties": {"mcc": {"type": "integer", "minimum": 0}}, "required": ["mcc"]}
    amounts = {"type": "array", "items": {"type": "number", "minimum": 0}, "minItems": 1, "maxItems": 2}
    rules = rules_of(tmp_path, {"properties": {"merchant": merchant, "amounts": amounts}, "required": ["amounts"]})
    assert [rule.name for rule in leaves(rules)] == ["merchant.mcc"]
    problems = {
        key: first_problem(rules, [(name, given, "") for name, given in value.items()])
        for key, value in {
            "good": {"merchant": {"mcc": 1, "more": []}, "amounts": [0]},
            "no object": {"amounts": [1.5, 2]},
            "lacks": {"merchant": {}, "amounts": [0]},
            "below": {"merchant": {"mcc": -1}, "amounts": [0]},
            "item": {"amounts": [1, -1]},
            "null": {"amounts": [None]},
            "long": {"amounts": [1, 2, 3]},
        }.items()
    }
    assert {key: mistake and mistake.field for key, mistake in problems.items()} == {
        **{"good": None, "no object": None, "lacks": "merchant.mcc", "below": "merchant.mcc"},
        **{"item": "amounts[]", "null": "amounts[]", "long": "amounts"},
    }


def test_known_values_bind_no_sender(tmp_path: Path) -> None:
    rule = rule_of(tmp_path, {"type": "string"}, name="known")
    assert rule.known_values == ("a", "b")
    assert rule.choices == ()
    assert problem(rule, "c") is None


def test_the_time_is_read_in_the_definitions_form(tmp_path: Path) -> None:
    text = rule_of(tmp_path, {"type": "string", "format": "date-time"}, name="when")
    assert (text.kind, text.spark_type, text.expectation) == ("time", "STRING", "a time of ISO 8601")
    (number,) = rules_of(tmp_path, {"properties": {"when": {"type": "integer"}}, "required": ["when"]}, form=EPOCH)
    assert problem(number, 1_700_000_000) is None
    assert problem(number, "now") is not None


@pytest.mark.parametrize(
    ("field", "place", "message"),
    [
        ({"type": "integer", "multipleOf": 2}, "/multipleOf", "the keyword 'multipleOf' is not supported here"),
        ({"type": "integer", "pattern": "a"}, "/pattern", "the keyword 'pattern'"),
        ({"$ref": "#/$defs/a"}, "/type", "expected one of"),
        ({"anyOf": []}, "/type", "expected one of"),
        ({"type": ["string", "integer"]}, "/type", "expected one of"),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": 0}, "", "an inclusive and an exclusive bound"),
        ({"type": "integer", "minimum": 3, "maximum": 2}, "", "no number lies between 3 and 2"),
        ({"type": "integer", "minimum": True}, "/minimum", "expected a number, got true"),
        ({"type": "string", "maxLength": -1}, "/maxLength", "expected a number of 0 or more"),
        ({"type": "string", "pattern": "a++"}, "/pattern", "a possessive quantifier is not supported"),
        ({"type": "string", "format": "hostname"}, "/format", "'hostname' is none of uuid, ipv4, email"),
        ({"type": "string", "pattern": "a", "format": "uuid"}, "/format", "a pattern and a format"),
        ({"type": "string", "enum": []}, "/enum", "expected a list of texts"),
        ({"type": "integer", "enum": [1.5]}, "/enum", "expected a list of integers"),
        ({"type": "boolean", "enum": [0]}, "/enum", "expected a list of true and false"),
        ({"type": "string", "enum": ["a"], "const": "a"}, "/const", "an enum and a const"),
        ({"type": "array", "uniqueItems": True}, "/uniqueItems", "the keyword 'uniqueItems'"),
        ({"type": "array", "items": {"type": "integer", "not": {}}}, "/items/not", "the keyword 'not'"),
        ({"type": "array", "items": False}, "/items", "described by an object"),
        ({"type": "object", "minProperties": 1}, "/minProperties", "the keyword 'minProperties'"),
        ({"type": "object", "properties": {"$a": {"type": "string"}}}, r"/properties/\$a", r"starts with \$"),
        ({"type": "object", "additionalProperties": False}, "/additionalProperties", "unknown fields are kept"),
    ],
)
def test_what_is_not_enforced_is_refused_by_its_place(
    tmp_path: Path, field: dict[str, Any], place: str, message: str
) -> None:
    with pytest.raises(ConfigurationError, match=rf"event\.schema\.json, at /properties/field{place}: .*{message}"):
        rule_of(tmp_path, field)


@pytest.mark.parametrize("name", ["score", "_id", "", "a\0b", "$where"])
def test_a_name_that_no_field_may_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"at /properties/"):
        rule_of(tmp_path, {"type": "integer"}, name=name)


def test_two_fields_with_one_path_are_refused(tmp_path: Path) -> None:
    inner = {"type": "object", "properties": {"b": {"type": "integer"}}}
    with pytest.raises(ConfigurationError, match=r"a\.b"):
        rules_of(tmp_path, {"properties": {"a.b": {"type": "integer"}, "a": inner}})
