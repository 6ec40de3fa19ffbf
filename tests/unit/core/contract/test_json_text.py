"""An edit of JSON text changes what it names, and no other byte."""

from __future__ import annotations

import json
import random

import orjson
import pytest

from fraudstream.core.contract.json_text import compact, edited, indented, json_value, members, parse_path

EVENT = '{ "amount" : 1.10 , "arn":74537605259536043849425, "é":{"$x":1,"y":[1,2.50]} ,"amount":3}\n'


def test_what_is_not_named_keeps_its_bytes() -> None:
    assert edited('{"a": 1.10,\t"arn":74537605259536043849425}', {("b",): "1e400"}) == (
        '{"a": 1.10,\t"arn":74537605259536043849425,"b":1e400}'
    )
    assert edited('{"a": 1.10, "b" :2 }\r\n', {("b",): "3.00"}) == '{"a": 1.10, "b" :3.00 }\r\n'
    assert edited('{"a":1, "b":2,"c":3}', {}, [("b",)]) == '{"a":1,"c":3}'
    assert edited(' {"a":1} ', {}, [("a",)]) == " {} "
    assert edited("{}", {("a",): "null"}) == '{"a":null}'


def test_a_name_that_stands_twice_stands_once_after_a_change_and_not_at_all_after_a_removal() -> None:
    assert edited(EVENT, {("amount",): "5"}).count('"amount"') == 1
    assert '"amount" : 5 ,' in edited(EVENT, {("amount",): "5"})
    assert '"amount"' not in edited(EVENT, {}, [("amount",)])


def test_names_inside_others_and_escaped_names_are_reached() -> None:
    assert '"é":{"$x":1,"y":[1,7]}' in edited(EVENT, {("é", "y", "1"): "7"})
    assert '"é":{"y":[1,2.50]}' in edited(EVENT, {}, [("é", "$x")])
    # The same name, written with an escape.
    assert edited('{"\\u0061":1,"b":2}', {}, [("a",)]) == '{"b":2}'
    assert edited('{"a.b":1,"a=b":2,"":3}', {("a=b",): "0"}, [("a.b",), ("",)]) == '{"a=b":0}'


def test_a_removal_of_what_is_not_there_changes_nothing() -> None:
    assert edited(EVENT, {}, [("source",), ("source", "topic")]) == EVENT


@pytest.mark.parametrize("text", ["", " ", "[1]", '"x"', "nope", '{"a":nan}', '{"a":1}x', '{"a":' * 5_000, '{"a":1,}'])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the texts are JSON readers' own
        edited(text, {("a",): "1"})


def test_numbers_that_json_does_not_have_can_be_corrected_and_taken_away() -> None:
    text = '{"amount": NaN,\t"other":{"b":[-Infinity, 1.10]}, "c":Infinity}'
    assert edited(text, {("amount",): "1"}, [("other", "b", "0"), ("c",)]) == '{"amount": 1,\t"other":{"b":[ 1.10]}}'
    assert edited(text, {("amount",): "1"}) == text.replace("NaN", "1")
    assert [member.name for member in members(text)] == ["amount", "other", "c"]
    assert compact(text) == '{"amount":NaN,"other":{"b":[-Infinity,1.10]},"c":Infinity}'
    assert compact(indented(text)) == compact(text)
    assert indented('{"a":NaN}') == '{\n  "a": NaN\n}'


@pytest.mark.parametrize("path", [("x", "y"), ("amount", "y"), ("é", "y", "7"), ("é", "y", "z")])
def test_a_change_through_what_is_not_there_is_refused(path: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"no field|no members|no item"):
        edited(EVENT, {path: "1"})


def test_paths_are_names_or_json_pointers() -> None:
    assert parse_path("merchant.name") == ("merchant.name",)
    assert parse_path("/merchant/a~1b~0") == ("merchant", "a/b~")
    with pytest.raises(ValueError, match="empty"):
        parse_path("")


def test_a_typed_value_is_json_where_it_can_be() -> None:
    assert json_value("1.10") == "1.10"
    assert json_value("74537605259536043849425") == "74537605259536043849425"
    assert json_value("restaurant") == '"restaurant"'
    assert json_value("NaN") == '"NaN"'
    assert json_value("") == '""'
    assert json_value('say "é"') == '"say \\"é\\""'


def _random(rng: random.Random, depth: int = 0) -> object:
    kind = rng.randrange(8 if depth < 4 else 5)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind in (1, 2):
        return rng.choice([rng.randrange(-(10**30), 10**30), rng.random() * 10 ** rng.randrange(-20, 20), 0, -0.0])
    if kind in (3, 4):
        return "".join(rng.choice('ab"\\/\n\té€😀{}[],: \x7f') for _ in range(rng.randrange(6)))
    if kind == 5:
        return [_random(rng, depth + 1) for _ in range(rng.randrange(4))]
    return {str(_random(rng, 9)): _random(rng, depth + 1) for _ in range(rng.randrange(5))}


def test_random_objects_keep_what_was_not_asked_for() -> None:
    rng = random.Random(5)
    for _ in range(3_000):
        event = {str(_random(rng, 9)): _random(rng) for _ in range(rng.randrange(6))}
        text = json.dumps(event, ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, 1]))
        name = rng.choice([*event, "new"])
        assert json.loads(edited(text, {(name,): "[1.50]"})) == event | {name: [1.5]}
        rest = {other: value for other, value in event.items() if other != name}
        assert json.loads(edited(text, {}, [(name,)])) == rest
        assert json.loads(indented(text)) == json.loads(compact(text)) == event
        if text.isascii() and len(text) < 2_000 and not any(isinstance(value, float) for value in event.values()):
            assert indented(compact(text)) == indented(text)


def test_the_shown_form_is_the_usual_one() -> None:
    value = {"a": [1, 2, {"b": []}], "c": {}, "d": "x"}
    assert indented(compact(json.dumps(value))) == orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


@pytest.mark.parametrize("path", [("b",), ("a",), ("a",) * 100])
def test_an_edit_of_a_text_that_is_nested_too_deeply_is_refused(path: tuple[str, ...]) -> None:
    """Also where the text can be read as a whole, and not from inside an edit or inside other calls."""
    refused = 0
    for depth in range(900, 1_010):
        text = '{"a":' * depth + "1" + "}" * depth
        for edit in (lambda: edited(text, {path: "2"}), lambda: edited(text, {}, [path]), lambda: members(text)):  # noqa: B023
            try:
                edit()
            except ValueError as error:
                refused += "nested too deeply" in str(error)
    assert refused
