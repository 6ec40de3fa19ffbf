"""What the reader says of a text that is not in the language: the place, what stands there, what to write instead."""

from __future__ import annotations

import pytest

from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.text import advice
from fraudstream.asaql.text.encoding import text_of
from fraudstream.asaql.text.parser import parse

pytestmark = pytest.mark.timeless


def error(text: str) -> QueryError:
    """The error of reading a text."""
    with pytest.raises(QueryError) as raised:
        parse(text, "fraud.asaql")
    return raised.value


def test_a_message_starts_with_the_file_the_line_and_the_column() -> None:
    raised = error("SELECT a\nFROM b\nFULL JOIN c ON 1 = 1")
    assert str(raised) == (
        "fraud.asaql:3:1: FULL JOIN is not in the language. "
        "Write two queries with LEFT JOIN, one from each side, and UNION."
    )
    assert (raised.file, raised.line, raised.column) == ("fraud.asaql", 3, 1)
    assert raised.exit_status == 1


@pytest.mark.parametrize(
    ("text", "column", "advice"),
    [
        ("SELECT TOP 5 a FROM b", 8, "CollectTop"),
        ("SELECT TOP (5) a FROM b", 8, "CollectTop"),
        ("SELECT a FROM b LIMIT 5", 17, "leave LIMIT out"),
        ("SELECT a FROM b ORDER BY a", 17, "leave ORDER BY out"),
        ("SELECT a FROM b RIGHT JOIN c ON 1 = 1", 17, "LEFT JOIN"),
        ("SELECT a FROM b FULL OUTER JOIN c ON 1 = 1", 17, "UNION"),
        ("SELECT a FROM b, c", 16, "JOIN … ON with DATEDIFF"),
        ("SELECT a FROM b JOIN c WHERE 1 = 1", 24, "DATEDIFF"),
        ("SELECT a FROM b EXCEPT SELECT a FROM c", 17, "LEFT JOIN"),
        ("SELECT ISNULL(a, 1) FROM b", 8, "COALESCE(a, b)"),
        ("SELECT getdate() FROM b", 8, "System.Timestamp()"),
        ("SELECT CURRENT_TIMESTAMP FROM b", 8, "System.Timestamp()"),
        ("SELECT a FROM b WHERE c = true", 27, "Write 1, or [true]"),
        ("SELECT ROW_NUMBER() OVER (ORDER BY a) FROM b", 8, "TopOne()"),
        ("SELECT LOG(a) FROM b", 8, "udf.log(…)"),
        ("SELECT CAST(a AS DECIMAL(10, 2)) FROM b", 18, "Write float"),
        ("SELECT CAST(a AS int) FROM b", 18, "Write bigint"),
        ("SELECT CAST(a AS varchar(10)) FROM b", 18, "nvarchar(max)"),
        ("SELECT CAST(a AS nvarchar(10)) FROM b", 27, "nvarchar(max)"),
        ("SELECT CAST(a, bigint) FROM b", 14, "CAST(x AS type)"),
        ("SELECT Percentile_Cont(0.5) WITHIN GROUP (ORDER BY a) FROM b", 29, "OVER (ORDER BY x)"),
        ("SELECT SUM(a) OVER (ROWS 5 PRECEDING) FROM b", 21, "LIMIT DURATION"),
        ("DECLARE @x int", 1, "no variables"),
        ("SELECT @x FROM b", 8, "no variables"),
        ("SELECT (SELECT a FROM c) FROM b", 9, "step of WITH"),
        ("SELECT a FROM b WHERE a IN (SELECT a FROM c)", 29, "step of WITH"),
        ("SELECT a FROM b WHERE EXISTS (SELECT a FROM c)", 23, "JOIN"),
        ("SELECT a FROM b WHERE a == 1", 25, "Write =."),
        ("SELECT a FROM b WHERE a = 1 && c = 2", 29, "Write AND."),
        ("SELECT a || c FROM b", 10, "CONCAT(a, b)"),
        ("SELECT a FROM b // all of them", 17, "starts with --"),
        ("SELECT a FROM b # all of them", 17, "starts with --"),
        ("SELECT ‘a’ FROM b", 8, "straight quote"),
        ("SELECT a[0] FROM b", 9, "GetArrayElement(a, 0)"),
        ("SELECT a['x'] FROM b", 9, "a.[x]"),
        ("SELECT a FROM b WHERE 1 < a < 5", 29, "AND"),
        ("SELECT CASE WHEN a = 1 THEN 2 ELSE 3 FROM b", 38, "closes with END"),
        ("SELECT CASE a THEN 2 END FROM b", 15, "CASE WHEN condition THEN"),
        ("SELECT a, FROM b", 11, "Leave the comma"),
        ("SELECT a b c FROM d", 12, "a comma, INTO or FROM"),
        ("SELECT group FROM b", 8, "[group]"),
        ("SELECT a AS my-name FROM b", 15, "[my-name]"),
        ("SELECT a FROM my-input", 17, "[my-input]"),
        ("SELECT a INTO my-output FROM b", 17, "[my-output]"),
        ("SELECT a INTO o", 16, "FROM"),
        ("SELECT a FROM b INTO o", 17, "INTO stands before FROM"),
        ("SELECT a FROM b GROUP BY a WHERE a = 1", 28, "before GROUP BY"),
        ("SELECT a FROM b GROUP BY Tumbling(5, minute)", 35, "The unit comes first"),
        ("SELECT a FROM b GROUP BY Hopping(minute, 5)", 43, "HoppingWindow(unit, size, hop"),
        ("SELECT a FROM b GROUP BY TUMBLE(a)", 26, "TumblingWindow"),
        ("SELECT a.* AS c FROM b", 12, "star has no alias"),
        ("SELECT a FROM b WHERE a.* = 1", 25, "one column's name"),
        ("WITH a AS (SELECT 1 FROM b), SELECT 2 FROM a", 28, "Leave it out"),
        ("WITH a (x) AS (SELECT 1 FROM b) SELECT 2 FROM a", 8, "AS inside its query"),
        ("WITH a AS SELECT 1 FROM b", 11, "WITH step AS (SELECT …)"),
        ("CREATE TABLE a (b int) SELECT 1 FROM a", 19, "Write bigint"),
        ("SELECT a FROM b)", 16, "No parenthesis is open"),
        ("SELECT a FROM (SELECT b FROM c", 31, "`)`"),
        ("INSERT INTO o SELECT a FROM b", 1, "SELECT … INTO output"),
        ("SELECT 1a FROM b", 8, "[1a…]"),
        ("SELECT 9223372036854775809 FROM b", 8, "bigint"),
        ("SELECT 1e999 FROM b", 8, "float"),
        ("SELECT [] FROM b", 8, "no name"),
        ("", 1, "one SELECT at least"),
        ("-- nothing", 11, "one SELECT at least"),
    ],
)
def test_habits_of_other_dialects_have_their_advice(text: str, column: int, advice: str) -> None:
    raised = error(text)
    assert (raised.line, raised.column) == (1, column)
    assert advice in raised.reason


@pytest.mark.parametrize("name", sorted(advice.FUNCTIONS))
def test_each_function_of_another_dialect_is_named_with_its_advice(name: str) -> None:
    raised = error(" ".join(("SELECT", f"{name}(a)", "FROM b")))
    assert raised.reason == f"{name.upper()} is not in the language. {advice.FUNCTIONS[name].format(name=name)}"


@pytest.mark.parametrize("name", sorted(advice.TYPES))
def test_each_type_of_another_dialect_is_named_with_its_advice(name: str) -> None:
    assert advice.TYPES[name] in error(" ".join(("SELECT", f"CAST(a AS {name})", "FROM b"))).reason


@pytest.mark.parametrize("name", sorted(advice.STATEMENTS))
def test_each_statement_of_another_dialect_is_named_with_its_advice(name: str) -> None:
    assert advice.STATEMENTS[name] in error(f"{name} a").reason


@pytest.mark.parametrize("sign", sorted(advice.SIGNS))
def test_each_sign_of_another_dialect_is_shown_with_its_advice(sign: str) -> None:
    assert advice.SIGNS[sign] in error(" ".join(("SELECT a FROM b WHERE c =", sign, "d"))).reason


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("SELECT 'a FROM b", (1, 8)),
        ("SELECT a,\n[b FROM c", (2, 1)),
        ('SELECT "a FROM b', (1, 8)),
        ("SELECT a\n  /* /* */ FROM b", (2, 3)),
    ],
)
def test_what_is_not_closed_is_told_where_it_opens(text: str, place: tuple[int, int]) -> None:
    raised = error(text)
    assert (raised.line, raised.column) == place
    assert "not closed" in raised.reason


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000,
        "SELECT " + "(" * 10_000 + "1" + ")" * 10_000 + " FROM a",
        "SELECT " + "f(" * 10_000,
        "SELECT " + "CASE WHEN " * 10_000,
        "SELECT a FROM b WHERE " + "NOT " * 10_000 + "a",
        "SELECT " + "1 + " * 10_000 + "1 FROM a",
        "SELECT " + "- " * 10_000 + "1 FROM a",
        "SELECT f(a)" + ".b" * 10_000 + " FROM a",
        "SELECT a" + ".b" * 10_000 + " FROM a",
        "SELECT a FROM " + "(SELECT a FROM " * 10_000,
        "SELECT a FROM b MATCH_RECOGNIZE (LIMIT DURATION(s, 1) MEASURES A.x AS x AFTER MATCH SKIP TO NEXT ROW PATTERN ("
        + "(" * 10_000,
    ],
    ids=lambda text: text[:40],
)
def test_deep_nesting_is_refused_with_its_place(text: str) -> None:
    raised = error(text)
    assert raised.line == 1
    assert raised.column > 1


def test_long_texts_are_read() -> None:
    condition = " OR ".join(f"(a = {n} AND b = 'x{n}')" for n in range(5_000))
    listed = ", ".join(f"column{n}" for n in range(5_000))
    assert parse(" ".join(("SELECT", listed, "FROM b WHERE", condition))).queries
    assert parse("SELECT a INTO o FROM b;\n" * 5_000).queries


def test_the_bytes_of_a_file_may_have_a_mark_and_be_utf_16() -> None:
    text = "SELECT 'é' FROM b"
    assert text_of(text.encode()) == text_of(text.encode("utf-8-sig")) == text_of(text.encode("utf-16")) == text


def test_bytes_that_are_no_text_have_a_place() -> None:
    with pytest.raises(QueryError, match=r"^f\.asaql:2:9: The byte 0xe9 is not UTF-8\."):
        text_of(b"-- \xc3\xa9\nSELECT '\xe9' FROM b", "f.asaql")
