"""Files, queries, sources, joins, windows and patterns."""

from __future__ import annotations

import pytest

from fraudstream.asaql.text import tree
from fraudstream.asaql.text.parser import parse
from tests.asaql.fuzz import TEXTS
from tests.unit.asaql.text.written import group, select, written

pytestmark = pytest.mark.timeless

WHOLE = sorted(path.name for path in TEXTS.glob("*.asaql") if path.stem != "habits")


@pytest.mark.parametrize("name", WHOLE)
def test_whole_files(name: str) -> None:
    assert parse((TEXTS / name).read_text(encoding="utf-8"), name).queries


@pytest.mark.parametrize("name", WHOLE)
def test_line_ends_do_not_matter_nor_does_a_mark_at_the_beginning(name: str) -> None:
    text = (TEXTS / name).read_text(encoding="utf-8")
    assert parse("\ufeff" + text.replace("\n", "\r\n")).queries[1:] == parse("\ufeff" + text).queries[1:]
    assert parse(text.replace("\n", "\r\n")) == parse(text.replace("\n", "\r")) == parse(text)


@pytest.mark.parametrize("name", WHOLE)
def test_the_case_of_keywords_does_not_matter(name: str) -> None:
    text = (TEXTS / name).read_text(encoding="utf-8")
    assert written(parse(text.upper())).lower() == written(parse(text.lower())).lower()


@pytest.mark.parametrize(
    "between", ["\u200b", "\u00a0", "\t", "/* x */", "/* a /* b */ c */", "-- x\n", "\u2028", "\x0c"]
)
def test_white_space_and_what_counts_as_such(between: str) -> None:
    text = "SELECT a FROM i WHERE b = 1"
    assert written(parse(text.replace(" ", f"{between} "))) == written(parse(text))


@pytest.mark.parametrize("between", [";", "", "\nGO\n", ";;\n;", " -- over\n"])
def test_statements_follow_one_another_with_or_without_a_separator(between: str) -> None:
    job = parse(
        f" {between} ".join(("WITH s AS (SELECT a FROM i)", "SELECT a INTO x FROM s", "SELECT b INTO y FROM s", ""))
    )
    assert [step.name.text for step in job.steps] == ["s"]
    assert [written(query.into) for query in job.queries if isinstance(query, tree.Select)] == ["x", "y"]


def test_a_table_tells_the_columns_of_an_input() -> None:
    (table,) = parse("CREATE TABLE i (a bigint, [b c] NVARCHAR(MAX), timestamp datetime); SELECT * FROM i").tables
    columns = [(column.name.text, column.type.name) for column in table.columns]
    assert (table.name.text, columns) == ("i", [("a", "bigint"), ("b c", "nvarchar"), ("timestamp", "datetime")])


def test_steps_of_several_lists_stand_in_the_order_of_the_text() -> None:
    job = parse(
        "WITH a AS (SELECT 1 FROM i), b AS (SELECT 2 FROM a) SELECT 3 FROM b; "
        "WITH c AS (SELECT 4 FROM i) SELECT 5 FROM c"
    )
    assert [step.name.text for step in job.steps] == ["a", "b", "c"]


def test_the_clauses_of_a_select() -> None:
    read = select("SELECT DISTINCT a, b INTO [o] FROM i WHERE a > 1 GROUP BY a, Tumbling(s, 1) HAVING COUNT(*) > 1")
    assert (read.distinct, len(read.items), written(read.into)) == (True, 2, "[o")
    assert (written(read.where), len(read.group), written(read.having)) == (
        "(> a 1)",
        2,
        "(> Call(name=COUNT, arguments=Star()) 1)",
    )


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("i", "name=i"),
        ("i a", "name=i, alias=a"),
        ("[i 1] AS [a]", "name=[i 1, alias=[a"),
        ('"i"', 'name="i'),
        ("i timestamp", "name=i, alias=timestamp"),
        ("i TIMESTAMP BY t", "name=i, timestamp=t"),
        ("i TIMESTAMP BY t AS a", "name=i, alias=a, timestamp=t"),
        ("i a TIMESTAMP BY f(t) OVER k, l", "name=i, alias=a, timestamp=Call(name=f, arguments=t), over=k l"),
        ("i PARTITION BY k INTO 4 TIMESTAMP BY t", "name=i, timestamp=t, partition=k, shards=4"),
        ("i TIMESTAMP BY t PARTITION BY k, l a", "name=i, alias=a, timestamp=t, partition=k l"),
    ],
)
def test_sources(text: str, parts: str) -> None:
    assert written(select(" ".join(("SELECT * FROM", text))).source) == f"NamedSource({parts})"


def test_a_query_in_parentheses_is_a_source() -> None:
    source = select("SELECT * FROM (SELECT a FROM i UNION SELECT b FROM j) AS u WHERE a = 1").source
    assert isinstance(source, tree.DerivedSource)
    assert isinstance(source.query, tree.Union)
    assert written(source.alias) == "u"


@pytest.mark.parametrize(
    ("text", "kind", "on"),
    [
        ("JOIN b ON a.x = b.x", "inner", "(= a.x b.x)"),
        ("INNER JOIN b ON 1 = 1", "inner", "(= 1 1)"),
        ("LEFT JOIN b ON DATEDIFF(s, a, b) = 0", "left", "(= Call(name=DATEDIFF, arguments=s a b) 0)"),
        ("LEFT OUTER JOIN b TIMESTAMP BY t ON 1 = 1", "left", "(= 1 1)"),
        ("CROSS JOIN b", "cross", "None"),
    ],
)
def test_joins(text: str, kind: str, on: str) -> None:
    (join,) = select(" ".join(("SELECT * FROM a", text))).joins
    assert isinstance(join, tree.Join)
    assert (join.kind, written(join.on)) == (kind, on)


def test_joins_and_applies_keep_their_order() -> None:
    read = select(
        "SELECT * FROM a CROSS APPLY GetArrayElements(x) AS p OUTER APPLY GetRecordProperties(p.ArrayValue) q "
        "JOIN r ON r.k = q.PropertyName CROSS APPLY GetElements(a.y) AS s WHERE 1 = 1"
    )
    assert [written(join) for join in read.joins] == [
        "Apply(function='elements', argument=x, alias=p)",
        "Apply(outer=True, function='properties', argument=p.ArrayValue, alias=q)",
        "Join(kind='inner', source=NamedSource(name=r), on=(= r.k q.PropertyName))",
        "Apply(function='elements', argument=a.y, alias=s)",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT a INTO o FROM i UNION SELECT b FROM j UNION ALL SELECT c FROM k",
        "(SELECT a INTO o FROM i) UNION (SELECT b FROM j) UNION SELECT c FROM k",
        "((SELECT a INTO o FROM i) UNION ALL (SELECT b FROM j) UNION (SELECT c FROM k))",
    ],
)
def test_unions_with_and_without_parentheses(text: str) -> None:
    (query,) = parse(text).queries
    assert isinstance(query, tree.Union)
    assert [written(half.source) for half in query.queries if isinstance(half, tree.Select)] == [
        f"NamedSource(name={name})" for name in "ijk"
    ]


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("TumblingWindow(minute, 5)", "TumblingWindow(size=minute:5)"),
        ("TUMBLING(mi, 5, -1)", "TumblingWindow(size=mi:5, offset=mi:-1)"),
        ("TumblingWindow(Duration(hour, 1), Offset(ms, 2))", "TumblingWindow(size=hour:1, offset=ms:2)"),
        ("HoppingWindow(second, 10, 5)", "HoppingWindow(size=second:10, hop=second:5)"),
        ("Hopping(second, 10, 5, 1)", "HoppingWindow(size=second:10, hop=second:5, offset=second:1)"),
        (
            "HoppingWindow(Duration(day, 1), Hop(hour, 1), Offset(mi, -3))",
            "HoppingWindow(size=day:1, hop=hour:1, offset=mi:-3)",
        ),
        ("SlidingWindow(ss, 30)", "SlidingWindow(size=ss:30)"),
        ("Sliding(DURATION(ss, 30))", "SlidingWindow(size=ss:30)"),
        ("SessionWindow(mi, 5, 60)", "SessionWindow(timeout=mi:5, maximum=mi:60)"),
        ("Session(mi, 5)", "SessionWindow(timeout=mi:5)"),
        (
            "SessionWindow(Timeout(s, 5), MaxDuration(mi, 6)) OVER (PARTITION BY a, b)",
            "SessionWindow(timeout=s:5, maximum=mi:6, partition=a b)",
        ),
        ("System.Timestamp()", "SystemTimestamp()"),
        (
            "Windows(Window('a', Tumbling(s, 1)), Window('b', System.Timestamp()))",
            "WindowSet(members=LabelledWindow(label='a', window=TumblingWindow(size=s:1)) "
            "LabelledWindow(label='b', window=SnapshotWindow()))",
        ),
        (
            "Window('a', Sliding(s, 1))",
            "WindowSet(members=LabelledWindow(label='a', window=SlidingWindow(size=s:1)))",
        ),
        (
            "Windows(Sliding(s, 1), Session(s, 1, 2))",
            "WindowSet(members=LabelledWindow(window=SlidingWindow(size=s:1)) "
            "LabelledWindow(window=SessionWindow(timeout=s:1, maximum=s:2)))",
        ),
    ],
)
def test_windows(text: str, window: str) -> None:
    assert group(text) == window


def test_a_pattern_of_rows() -> None:
    match = select(
        "SELECT * FROM i MATCH_RECOGNIZE (LIMIT DURATION(mi, 1) PARTITION BY k MEASURES Last(A.x) AS x, B.y AS y "
        "AFTER MATCH SKIP TO NEXT ROW PATTERN (A+ (B | . C)? B) DEFINE A AS A.x > 1, B AS B.x < 1) AS T"
    ).match
    assert match is not None
    assert (written(match.limit), written(match.partition), written(match.alias)) == ("mi:1", "k", "T")
    assert [measure.name.text for measure in match.measures] == ["x", "y"]
    assert [definition.name.text for definition in match.definitions] == ["A", "B"]
    assert written(match.pattern) == (
        "PatternSequence(parts=PatternRepeat(part=PatternRow(name=A), quantifier='+') "
        "PatternRepeat(part=PatternChoice(options=PatternRow(name=B) PatternSequence(parts=PatternRow() "
        "PatternRow(name=C))), quantifier='?') PatternRow(name=B))"
    )
