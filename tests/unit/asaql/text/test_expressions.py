"""Expressions: what binds to what, and the forms of literals, names, calls, CASE and CAST."""

from __future__ import annotations

import pytest

from fraudstream.asaql.text import tree
from tests.unit.asaql.text.written import condition, expression, item, written

pytestmark = pytest.mark.timeless


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a + b * c", "(+ a (* b c))"),
        ("(a + b) * c", "(* (+ a b) c)"),
        ("a - b - c", "(- (- a b) c)"),
        ("a / b % c", "(% (/ a b) c)"),
        ("a + b & c ^ d | e", "(| (^ (& (+ a b) c) d) e)"),
        ("-a * ~b", "(* (- a) (~ b))"),
        ("- - 1", "(- (- 1))"),
        ("a + b = c - 1", "(= (+ a b) (- c 1))"),
        ("NOT a = b AND c < d OR e >= f", "(or (and (not (= a b)) (< c d)) (>= e f))"),
        ("a = 1 AND b = 2 AND c = 3", "(and (= a 1) (= b 2) (= c 3))"),
        ("a = 1 OR b = 2 AND c = 3 OR d = 4", "(or (= a 1) (and (= b 2) (= c 3)) (= d 4))"),
        ("NOT NOT a = 1", "(not (not (= a 1)))"),
        ("a LIKE b + '%'", "Like(operand=a, pattern=(+ b '%'))"),
    ],
)
def test_operators_bind_as_in_t_sql(text: str, shown: str) -> None:
    assert condition(text) == shown


@pytest.mark.parametrize(("sign", "operator"), [("!=", "<>"), ("<>", "<>"), ("!<", ">="), ("!>", "<="), ("<=", "<=")])
def test_comparisons_have_one_spelling_in_the_tree(sign: str, operator: str) -> None:
    assert condition(f"a {sign} b") == f"({operator} a b)"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a IS NULL", "IsNull(operand=a)"),
        ("a IS NOT NULL", "IsNull(operand=a, negated=True)"),
        ("a NOT LIKE 'x!%' ESCAPE '!'", "Like(operand=a, pattern='x!%', escape='!', negated=True)"),
        ("a IN (1, -2, b)", "In(operand=a, values=1 (- 2) b)"),
        ("a NOT IN ('x')", "In(operand=a, values='x', negated=True)"),
        ("a BETWEEN 1 AND 2 AND b = 3", "(and Between(operand=a, low=1, high=2) (= b 3))"),
        ("a NOT BETWEEN b - 1 AND b + 1", "Between(operand=a, low=(- b 1), high=(+ b 1), negated=True)"),
    ],
)
def test_predicates(text: str, shown: str) -> None:
    assert condition(text) == shown


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("42", "42"),
        ("007", "7"),
        ("9223372036854775808", "9223372036854775808"),
        ("4.0", "4.0"),
        ("4.", "4.0"),
        (".5", "0.5"),
        ("1e3", "1000.0"),
        ("2.5E-1", "0.25"),
        ("'it''s'", '"it\'s"'),
        ("N'é'", "'é'"),
        ("''", "''"),
        ("NULL", "Null()"),
    ],
)
def test_literals(text: str, value: str) -> None:
    assert expression(text) == value


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a", "a"),
        ("a.b.c", "a.b.c"),
        ("[a b].[c]]d].e", "[a b.[c]d.e"),
        ('"a"', "DoubleQuoted(text='a')"),
        ('"a".b', '"a.b'),
        ('"a ""b"""', "DoubleQuoted(text='a \"b\"')"),
        ("a.group.[order].end", "a.group.[order.end"),
    ],
)
def test_names(text: str, shown: str) -> None:
    assert expression(text) == shown


@pytest.mark.parametrize(
    "word",
    [
        *("timestamp", "time", "type", "value", "name", "hour", "key", "data", "source", "rank", "count", "partition"),
        *(
            "order",
            "left",
            "index",
            "limit",
            "duration",
            "cast",
            "window",
            "over",
            "session",
            "top",
            "go",
            "all",
            "system",
        ),
    ],
)
def test_keywords_are_columns_where_nothing_else_can_stand(word: str) -> None:
    assert expression(word) == word
    assert written(item(f"a AS {word}").alias) == word
    assert condition(f"{word} > 1") == f"(> {word} 1)"


@pytest.mark.parametrize("word", ["select", "from", "where", "group", "end", "case", "null", "not"])
def test_the_other_keywords_are_fields_after_a_dot(word: str) -> None:
    assert expression(f"a.{word}") == f"a.{word}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("f()", "Call(name=f)"),
        ("f(a, 'x')", "Call(name=f, arguments=a 'x')"),
        ("udf.f(a)", "Call(name=udf f, arguments=a)"),
        ("COUNT(*)", "Call(name=COUNT, arguments=Star())"),
        ("COUNT()", "Call(name=COUNT)"),
        ("COUNT(DISTINCT a)", "Call(name=COUNT, arguments=a, quantifier='distinct')"),
        ("COUNT(ALL a.b)", "Call(name=COUNT, arguments=a.b, quantifier='all')"),
        ("COUNT(all)", "Call(name=COUNT, arguments=all)"),
        ("LEFT(a, 1)", "Call(name=LEFT, arguments=a 1)"),
        ("LAG(*, 2) OVER (LIMIT DURATION(hour, 1))", "Call(name=LAG, arguments=Star() 2, over=Over(limit=hour:1))"),
        (
            "SUM(a) OVER (PARTITION BY b, c.d LIMIT DURATION(mi, 5) WHEN a > 1)",
            "Call(name=SUM, arguments=a, over=Over(partition=b c.d, limit=mi:5, when=(> a 1)))",
        ),
        (
            "TopOne() OVER (ORDER BY a DESC, b ASC, c)",
            "Call(name=TopOne, over=Over(order=Order(expression=a, descending=True) Order(expression=b) "
            "Order(expression=c)))",
        ),
        ("ISFIRST(second, 1) OVER ()", "Call(name=ISFIRST, arguments=second 1, over=Over())"),
        ("f(a).b.[c d]", "Member(of=Member(of=Call(name=f, arguments=a), name=b), name=[c d)"),
        (
            "(LAG(a) OVER (LIMIT DURATION(s, 1))).b",
            "Member(of=Call(name=LAG, arguments=a, over=Over(limit=s:1)), name=b)",
        ),
    ],
)
def test_calls(text: str, shown: str) -> None:
    assert expression(text) == shown


@pytest.mark.parametrize("text", ["System.Timestamp()", "system.TIMESTAMP", "System.Timestamp( )"])
def test_the_time_of_the_row_is_a_node_of_its_own(text: str) -> None:
    assert expression(text) == "SystemTimestamp()"


def test_the_window_is_a_node_of_its_own() -> None:
    assert expression("System.Window().Id") == expression("system.window.Id") == "Member(of=SystemWindow(), name=Id)"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("*", "Star()"),
        ("a.*", "Star(of=a)"),
        ("a.b.*", "Star(of=a.b)"),
        ("f(a).*", "Star(of=Call(name=f, arguments=a))"),
    ],
)
def test_stars(text: str, shown: str) -> None:
    assert expression(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "CASE WHEN a > 1 THEN 'x' WHEN b IS NULL THEN 'y' ELSE 'z' END",
            "Case(whens=When(condition=(> a 1), result='x') When(condition=IsNull(operand=b), result='y'), "
            "otherwise='z')",
        ),
        ("CASE a WHEN 1 THEN 2 ELSE NULL END", "Case(operand=a, whens=When(condition=1, result=2), otherwise=Null())"),
        ("CASE WHEN a = 1 THEN 2 END", "Case(whens=When(condition=(= a 1), result=2))"),
        ("CAST(a AS BigInt)", "Cast(operand=a, to=bigint)"),
        ("CAST(a AS nvarchar ( MAX ))", "Cast(operand=a, to=nvarchar)"),
        ("TRY_CAST(a + 1 AS [record])", "Cast(operand=(+ a 1), to=record, tries=True)"),
    ],
)
def test_case_and_cast(text: str, shown: str) -> None:
    assert expression(text) == shown


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("e AS a", "a"),
        ("e a", "a"),
        ("a = e", "a"),
        ("[a b] = e", "[a b"),
        ("e AS 'a'", "'a"),
        ("e 'a'", "'a"),
        ('e AS "a b"', '"a b'),
        ("e AS[a.b]", "[a.b"),
        ("e AS end", "end"),
        ("e AS timestamp", "timestamp"),
        ("e", "None"),
    ],
)
def test_aliases(text: str, name: str) -> None:
    read = item(text)
    assert (written(read.expression), written(read.alias)) == ("e", name)


def test_a_position_is_where_the_first_word_or_the_operator_stands() -> None:
    read = item("\n  a +\r\n\tf(b) AS c")
    assert isinstance(read.expression, tree.Binary)
    assert (read.position, read.expression.position, read.expression.right.position) == ((2, 3), (2, 5), (3, 2))
