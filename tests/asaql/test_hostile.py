"""Queries that are after the machine: what they cannot reach, and where they end instead of going on for hours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from fraudstream.asaql.plan.compiling import compile_text
from tests.asaql import engine
from tests.asaql.engine import Outcome

AT = "2026-03-01T10:00:00Z"
ROWS = [{"x": 1, "t": "ab", "a": list(range(40)), "at": AT}]
# Long enough for a search that tries every place to take hours, short enough for a text of one event.
LONG = "REPLICATE('a', 1000000)"
TOO_LONG = "A text of more than 67108864 characters is too long"
TOO_SLOW = "takes too long: it was stopped after 500000000 instructions"
TOO_MUCH = "needs too much memory"
TOO_MANY = "A list has at most 4194304 elements here"


def steps(count: int, select: str, first: str = "SELECT x, t, at FROM i TIMESTAMP BY at") -> str:
    """A query of steps, each of which makes more of the one before."""
    named = [f"s0 AS ({first})", *(f"s{n} AS ({select.format(before=f's{n - 1}')})" for n in range(1, count))]
    return f"WITH {', '.join(named)} SELECT * FROM s{count - 1}"


# Scripts that look for a way out of the sandbox, and what they find.
CLOSED = {
    "Java's classes": (
        "return typeof java + typeof Packages + typeof org + typeof JavaImporter + typeof JavaAdapter;",
        5,
    ),
    "functions of a shell": (
        "return typeof load + typeof print + typeof quit + typeof readFile + typeof importClass;",
        5,
    ),
    "the host": ("return typeof process + typeof require + typeof fetch + typeof setTimeout + typeof WebAssembly;", 5),
    "classes of values": ("return typeof x.getClass + typeof ''.getClass + typeof [].getClass + typeof r.getClass;", 4),
    "another global object": (
        "return typeof this.constructor.constructor('return this')().java + eval('typeof java');",
        2,
    ),
    "Java's error": ("try { null.x; } catch (e) { return typeof e.javaException + typeof e.rhinoException; }", 2),
    "what has no bounds": ("return typeof BigInt + typeof Proxy + typeof BigInt64Array + typeof String.raw;", 4),
}

# Scripts and queries that would go on and on, and what they are told.
SCRIPTS = {
    "a loop": ("while (true) {}", TOO_SLOW),
    "a loop that catches": ("while (true) { try { while (true) {} } catch (e) {} }", TOO_SLOW),
    "a loop that goes on in finally": ("while (true) { try { while (true) {} } finally { continue; } }", TOO_SLOW),
    "a loop before main": ("} while (true) {} function other() {", TOO_SLOW),
    "a getter of the result": ("return {get a() { while (true) {} }};", TOO_SLOW),
    "an iterator without an end": (
        "var o = {}; o[Symbol.iterator] = function () { return {next: function () { return {done: false}; }}; };"
        " return new Set(o).size;",
        "stopped after",
    ),
    "calls of itself": ("function f() { f(); } f();", "calls itself too deeply"),
    "a long list of nothing": ("return Array.prototype.indexOf.call({length: 9007199254740991}, 1);", TOO_MANY),
    "a length that changes": (
        "var n = 0; return [].forEach.call({get length() { return n++ ? 1e15 : 1; }}, function () {});",
        TOO_MANY,
    ),
    "a length that is inherited": (
        "var n = 0; return [].indexOf.call(Object.create({get length() { return n++ ? 1e15 : 1; }}), 1);",
        TOO_MANY,
    ),
    "an array without elements": ("var a = []; a.length = 4294967295; return a.indexOf(1);", TOO_MANY),
    "a set of such an array": ("var a = []; a.length = 4294967295; return new Set(a).size;", TOO_MANY),
    "many arguments": ("return String.fromCharCode.apply(null, {length: 2000000000}).length;", TOO_MANY),
    "an array as a result": ("var a = []; a.length = 4294967295; return a;", "more than 1000000 values"),
    "objects in one another": (
        "var o = {}; for (var i = 0; i < 60; i++) { o = {a: o, b: o}; } return o;",
        "more than 1000000 values",
    ),
    "lists in one another, flat": (
        "var a = []; for (var i = 0; i < 60; i++) { a = [a, a]; } return a.flat(Infinity);",
        TOO_SLOW,
    ),
    "lists in one another, as a text": (
        "var a = []; for (var i = 0; i < 60; i++) { a = [a, a]; } return String(a);",
        "stopped after",
    ),
    "an object in itself": ("var o = {}; o.o = o; return o;", "nested too deeply"),
    "a text of gigabytes": ("return 'x'.repeat(1073741824).length;", "at most 67108864 characters"),
    "a text that is filled up": ("return 'x'.padEnd(2000000000).length;", "at most 67108864 characters"),
    "a search for a long text": (
        "var s = 'a'.repeat(2000000); return s.indexOf('a'.repeat(1000000) + 'b');",
        "too long to look for one in the other",
    ),
    "a wide integer": ("return String(3n ** 200000000n).length;", "BigInt is not known here"),
    "a wide integer by eval": ("return eval('3n ** 200000000n');", "BigInt is not known here"),
    "a wide integer by Function": ("return Function('return 3n ** 200000000n')();", "BigInt is not known here"),
    "a regular expression with nested repetitions": ("return /^(a+)+$/.test('a'.repeat(40) + 'b');", TOO_MUCH),
    "parentheses without an end": (f"return {'(' * 20_000}1{')' * 20_000};", "Too deep recursion"),
}
QUERIES = {
    "texts that double": (steps(40, "SELECT CONCAT(t, t) AS t FROM {before}"), TOO_LONG),
    "texts that double by +": (steps(40, "SELECT t + t AS t FROM {before}"), TOO_LONG),
    "texts that double with a separator": (steps(40, "SELECT CONCAT_WS('-', t, t) AS t FROM {before}"), TOO_LONG),
    "texts that double by STUFF": (steps(40, "SELECT STUFF(t, 1, 0, t) AS t FROM {before}"), TOO_LONG),
    "texts that grow by REPLACE": (steps(25, "SELECT REPLACE(t, 'a', SPACE(90) + 'aa') AS t FROM {before}"), TOO_LONG),
    "a text of gigabytes": ("SELECT REPLICATE(t, 2000000000) AS r FROM i", "is too long"),
    "blanks without an end": ("SELECT SPACE(9000000000000000000) AS r FROM i", "is too long"),
    "a regular expression with nested repetitions": (
        "SELECT REGEXMATCH(CONCAT(REPLICATE('a', 40), 'b'), '^(a+)+\\1c$') AS r FROM i",
        "takes too long",
    ),
    "a search for a long text": (
        f"SELECT CHARINDEX(CONCAT(REPLICATE('a', 500000), 'b'), {LONG}) AS r FROM i",
        "would take too long",
    ),
    "rows in one another": (
        steps(
            45,
            "SELECT LAG(*) OVER (LIMIT DURATION(day, 7)) AS a, LAG(*) OVER (LIMIT DURATION(day, 7)) AS b FROM {before}",
        ),
        TOO_LONG,
    ),
    "elements of elements": (
        f"SELECT x FROM i {' '.join(f'CROSS APPLY GetArrayElements(i.a) AS a{n}' for n in range(10))}",
        "One row gives more than 1000000 rows by APPLY",
    ),
    "a pattern with many ways": (
        "SELECT * FROM i TIMESTAMP BY at MATCH_RECOGNIZE (LIMIT DURATION(day, 7) MEASURES Last(A.x) AS x"
        " AFTER MATCH SKIP TO NEXT ROW PATTERN ((A* A*)* B) DEFINE A AS A.x > 0, B AS B.x < 0) AS m",
        "too many ways",
    ),
}
# Queries that look alike and have an answer, at once.
ANSWERS = {
    "a pattern of LIKE": (f"SELECT 1 AS r FROM i WHERE {LONG} LIKE '%a%a%a%a%b'", []),
    "a pattern of PATINDEX": (f"SELECT PATINDEX('%a%b', {LONG}) AS r FROM i", [0]),
    "a pattern of PATINDEX that fits": (f"SELECT PATINDEX('%aa%b', CONCAT({LONG}, 'b')) AS r FROM i", [1]),
    "a pattern of PATINDEX at the end": (f"SELECT PATINDEX('%ab', CONCAT({LONG}, 'b')) AS r FROM i", [1_000_000]),
    "a row long ago": (
        "SELECT LAG(x, 2000000000) OVER (LIMIT DURATION(second, 1)) AS r FROM i TIMESTAMP BY at",
        [None],
    ),
    "the first of many rows": (
        "WITH s AS (SELECT CollectTop(2000000000, x) OVER (ORDER BY x) AS c FROM i TIMESTAMP BY at"
        " GROUP BY TumblingWindow(day, 7)) SELECT GetArrayLength(c) AS r FROM s",
        [1],
    ),
}
# A row in one another needs a row before it for each step; a pattern has more ways the more rows there are.
MANY_ROWS = [{"x": 1, "at": f"2026-03-01T10:{minute:02}:00Z"} for minute in range(60)]


def _run(name: str, query: str, script: str = "") -> dict[str, Any]:
    plan = compile_text(query, "hostile.asaql").to_json()
    rows = MANY_ROWS if "in one another" in name or "many ways" in name else ROWS
    functions = {"functions": {"udf": {"f": f"function main(x, r) {{ {script} }}"}}} if script else {}
    return {"name": name, "plan": plan, "inputs": {"i": [json.dumps(row) for row in rows]}, **functions}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Outcome]:
    calls = {**CLOSED, **SCRIPTS}
    runs = [_run(f"script: {name}", "SELECT udf.f(x, i) AS r FROM i", script) for name, (script, _) in calls.items()]
    runs += [_run(f"query: {name}", query) for name, (query, _) in (QUERIES | ANSWERS).items()]
    return engine.run(runs, tmp_path_factory.mktemp("hostile"))


@pytest.mark.parametrize("name", CLOSED)
def test_a_script_finds_nothing_but_its_arguments(name: str, outcomes: Mapping[str, Outcome]) -> None:
    count = CLOSED[name][1]
    assert outcomes[f"script: {name}"].get("outputs") == {"output": [{"r": "undefined" * count}]}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_that_would_go_on_is_stopped(name: str, outcomes: Mapping[str, Outcome]) -> None:
    assert SCRIPTS[name][1] in outcomes[f"script: {name}"]["error"]["message"]


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_that_would_go_on_is_stopped(name: str, outcomes: Mapping[str, Outcome]) -> None:
    assert QUERIES[name][1] in outcomes[f"query: {name}"]["error"]["message"]


@pytest.mark.parametrize("name", ANSWERS)
def test_a_query_that_only_looks_hard_has_its_answer(name: str, outcomes: Mapping[str, Outcome]) -> None:
    rows = outcomes[f"query: {name}"]["outputs"]["output"]
    assert [row["r"] for row in rows] == ANSWERS[name][1]
