"""Expressions: names, constants, operators, calls."""

from __future__ import annotations

import pytest

from tests.unit.asaql.plan.compiled import JOINED, const, expression, field, last_step, refused

pytestmark = pytest.mark.timeless


# --- Names


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("a", field("a")),
        ("i.a", field("a")),
        ("I.A", field("A")),
        ("a.b.c", field("a.b.c")),
        ("i.a.b", field("a.b")),
        ("[odd name].b", field("odd name.b")),
        ("Input.a", field("a")),
    ],
)
def test_a_path_is_a_column_and_the_fields_below(text: str, bound: dict[str, object]) -> None:
    assert expression(text, "Input i") == bound


def test_an_alias_alone_is_the_whole_row() -> None:
    assert expression("i", "Input i") == {"e": "row", "source": 0}
    assert expression("udf.f(i)", "Input i") == {
        "e": "udf", "kind": "udf", "name": "f", "args": [{"e": "row", "source": 0}]
    }  # fmt: skip
    assert expression("udf.f(Input)")["args"] == [{"e": "row", "source": 0}]


def test_an_input_may_be_called_as_one_of_its_columns() -> None:
    assert expression("temperature", "temperature") == field("temperature")
    assert expression("ABS(temperature)", "temperature")["args"] == [field("temperature")]


def test_an_input_called_as_the_record_of_an_iot_hub_does_not_hide_it() -> None:
    assert expression("IoTHub.ConnectionDeviceId", "IotHub") == field("IoTHub.ConnectionDeviceId")
    assert expression("IoTHub.temperature", "IotHub") == field("temperature")
    assert expression("IoTHub.ConnectionDeviceId", "Input IoTHub") == field("ConnectionDeviceId")


def test_a_name_without_its_source_may_be_of_any_that_is_open() -> None:
    query = "SELECT x, b.y FROM A JOIN B AS b ON DATEDIFF(second, A, b) BETWEEN 0 AND 5"
    items = last_step(query)["project"]
    assert items[0]["expr"] == field("x", 0, 1)
    assert items[1]["expr"] == field("y", 1)


def test_a_known_column_is_taken_from_the_source_that_has_it() -> None:
    query = "WITH s AS (SELECT x FROM B) SELECT x FROM A JOIN s ON DATEDIFF(second, A, s) BETWEEN 0 AND 5"
    assert last_step(query)["project"][0]["expr"] == field("x", 1)
    applied = "SELECT ArrayValue FROM A CROSS APPLY GetArrayElements(a) AS e"
    assert last_step(applied)["project"][0]["expr"] == field("ArrayValue", 1)


def test_an_unknown_column_of_a_step_is_refused_with_the_nearest() -> None:
    message = refused("WITH s AS (SELECT amount, card FROM A) SELECT amout FROM s")
    assert message == "1:47: s has no column amout. Did you mean amount?"
    assert "Its columns are amount, card." in refused("WITH s AS (SELECT amount, card FROM A) SELECT z FROM s")
    lateral = refused("WITH s AS (SELECT a FROM Input) SELECT a * 2 AS b, b + 1 AS c FROM s")
    assert "b is an alias of the same SELECT, and no column" in lateral
    assert "e has no column name" in refused("SELECT e.name FROM A CROSS APPLY GetArrayElements(a) AS e")


@pytest.mark.parametrize(
    ("query", "bound"),
    [
        ('SELECT "a" AS x FROM Input', field("a")),
        ('SELECT "a"."b" AS x FROM Input', field("a.b")),
        ("SELECT CASE WHEN \"a\" = 'x' THEN 1 ELSE 0 END AS x FROM Input", field("a")),
        ('SELECT CASE WHEN a = "x" THEN 1 ELSE 0 END AS x FROM Input', const("x")),
        ('SELECT CONCAT("x", a) AS x FROM Input', const("x")),
        ('SELECT CONCAT("a", b) AS x, a AS y FROM Input', field("a")),
        ('WITH s AS (SELECT a FROM Input) SELECT CONCAT("a", "b") AS x FROM s', field("a")),
    ],
)
def test_a_word_in_double_quotes_is_a_column_if_one_is_seen_else_a_text(query: str, bound: dict[str, object]) -> None:
    tree = last_step(query)["project"][0]["expr"]
    parts = [tree]
    while parts:
        part = parts.pop(0)
        if part == bound:
            return
        parts += [*part.get("args", []), *(each for when in part.get("whens", []) for each in when)]
    pytest.fail(f"{bound} is not in {tree}")


# --- Constants and operators


@pytest.mark.parametrize(
    ("text", "value"), [("1", 1), ("-1", -1), ("1.5", 1.5), ("'it''s'", "it's"), ("NULL", None), ("+3", 3)]
)
def test_constants(text: str, value: object) -> None:
    assert expression(text) == const(value)


def test_the_smallest_bigint_is_one() -> None:
    assert expression("-9223372036854775808") == const(-(2**63))
    assert "no bigint" in refused("SELECT 9223372036854775808 AS x FROM Input")


def test_operators() -> None:
    assert expression("a + 1") == {"e": "op", "op": "+", "args": [field("a"), const(1)]}
    assert expression("-a") == {"e": "op", "op": "neg", "args": [field("a")]}
    assert expression("a IS NOT NULL") == {"e": "op", "op": "isnotnull", "args": [field("a")]}
    assert expression("a NOT IN (1, 2)") == {"e": "in", "negated": True, "args": [field("a"), const(1), const(2)]}
    assert expression("a BETWEEN 1 AND 2")["args"] == [field("a"), const(1), const(2)]
    assert expression("a LIKE 'x!%' ESCAPE '!'") == {
        "e": "like", "negated": False, "args": [field("a"), const("x!%")], "escape": "!"
    }  # fmt: skip


def test_a_simple_case_compares() -> None:
    tree = expression("CASE a WHEN 1 THEN 'x' ELSE 'y' END")
    assert tree["whens"] == [[{"e": "op", "op": "=", "args": [field("a"), const(1)]}, const("x")]]
    assert tree["else"] == const("y")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("'a' - 1", "takes numbers, not the text 'a'"),
        ("System.Timestamp() - 1", "Use DATEADD and DATEDIFF"),
        ("1.5 & 1", "takes bigint or bit, not float"),
        ("a LIKE 'x' ESCAPE 'ab'", "ESCAPE takes one character"),
        ("System.Window().Id", "stands in the SELECT of a GROUP BY alone"),
        ("LAG(a) OVER (LIMIT DURATION(minute, 1)) * 'x'", "takes numbers"),
    ],
)
def test_what_can_never_be_right_is_refused(text: str, message: str) -> None:
    assert message in refused(f"SELECT {text} AS x FROM Input")


# --- Calls


def test_date_parts_have_one_spelling_in_the_plan() -> None:
    for part in ("minute", "MI", "n", "'minute'", '"mi"'):
        assert expression(f"DATEPART({part}, a)")["args"] == [const("minute"), field("a")]
    assert "fortnight is no date part" in refused("SELECT DATEPART(fortnight, a) AS x FROM Input")


def test_metadata_are_an_inputs() -> None:
    tree = expression("GetMetadataPropertyValue(i, 'EventId')", "Input i")
    assert tree == {
        "e": "call",
        "f": "getmetadatapropertyvalue",
        "args": [{"e": "row", "source": 0}, const("EventId")],
    }
    assert "its rows have no metadata" in refused(
        "WITH s AS (SELECT a FROM Input) SELECT GetMetadataPropertyValue(s, 'EventId') AS x FROM s"
    )
    assert "takes the name of an input" in refused("SELECT GetMetadataPropertyValue(q.a, 'EventId') AS x FROM Input")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("LEN(a, 1)", "1:8: LEN takes 1 argument, not 2: LEN(text)."),
        ("ROUND('1', 2)", "ROUND takes a number as number, not nvarchar"),
        ("GetArrayLength(CAST(a AS record))", "GetArrayLength takes an array as array, not record"),
        ("DATEADD(second, 1, 5)", "takes a datetime or an ISO 8601 text as date, not bigint"),
        ("LEN(a) OVER (LIMIT DURATION(minute, 1))", "takes no OVER"),
        ("LEN(DISTINCT a)", "takes no DISTINCT"),
        ("LEN(*)", "A star stands in the list of SELECT"),
        ("GetArrayElements(a)", "stands after CROSS APPLY or OUTER APPLY alone"),
        ("TumblingWindow(second, 5)", "stands in GROUP BY alone"),
        ("nothing(a)", "udf.nothing(…)"),
        ("dbo.f(a)", "dbo.f is no function"),
        ("udf.f(DISTINCT a)", "neither OVER nor DISTINCT"),
    ],
)
def test_a_wrong_call_is_refused(text: str, message: str) -> None:
    assert message in refused(f"SELECT {text} AS x FROM Input")


def test_before_level_1_2_functions_of_ones_own_need_no_prefix_and_bit_is_no_type() -> None:
    assert expression("score(a)", level="1.1")["e"] == "udf"
    assert "bit is a type since level 1.2" in refused("SELECT CAST(a AS bit) AS x FROM Input", level="1.1")


def test_datediff_takes_sources_in_on_alone() -> None:
    assert "Only the DATEDIFF in ON takes sources" in refused(f"SELECT DATEDIFF(second, a, b) AS x {JOINED}")
    assert "Ref is reference data: its rows have no time" in refused(
        "SELECT A.x FROM A JOIN Ref ON DATEDIFF(second, A, Ref) = 0"
    )
