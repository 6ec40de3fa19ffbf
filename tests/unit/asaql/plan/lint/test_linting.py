"""Every rule of the linter: a query that it finds, and one that it does not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fraudstream.asaql.plan.binding.mentions import rewritten
from fraudstream.asaql.plan.compiling import bind
from fraudstream.asaql.plan.lint.findings import RULES, Finding
from fraudstream.asaql.plan.lint.linting import lint
from fraudstream.asaql.text import tree
from fraudstream.asaql.text.parser import parse
from tests.unit.asaql.plan.compiled import REFERENCES

pytestmark = pytest.mark.timeless

HOURS = "SELECT COUNT(*) AS n FROM Input TIMESTAMP BY t GROUP BY Tumbling(hour, 2)"
LEFT = "SELECT i.a FROM Input i LEFT JOIN Ref r ON i.k = r.k "
# Rule: (found, not found, how often and where the first one is found as "line:column").
EXAMPLES: list[tuple[str, str, str, str]] = [
    (
        "QL001",
        "SELECT COUNT(*) AS n FROM Input GROUP BY Tumbling(s, 1)",
        "SELECT COUNT(*) AS n FROM Input TIMESTAMP BY t GROUP BY Tumbling(s, 1)",
        "1:27",
    ),
    (
        "QL001",
        "SELECT LAG(a) OVER (PARTITION BY k LIMIT DURATION(s, 1)) AS p FROM Input",
        "SELECT a FROM Input",
        "1:68",
    ),
    ("QL002", "SELECT a FROM Input WHERE CAST(a AS float) > '5'", "SELECT a FROM Input WHERE a > 5", "1:44"),
    ("QL002", "SELECT a FROM Input WHERE a = '5'", "SELECT a FROM Input WHERE a = 'five'", "1:29"),
    ("QL002", "SELECT a FROM Input WHERE a IN (1, '2')", "SELECT a FROM Input WHERE a BETWEEN 1 AND 2", "1:29"),
    ("QL003", 'SELECT a FROM Input WHERE a = "x"', "SELECT a FROM Input WHERE a = 'x'", "1:31"),
    ("QL003", 'SELECT CONCAT(a, "b") AS c FROM Input', 'SELECT CONCAT(a, "b") AS c, b FROM Input', "1:18"),
    (
        "QL004",
        "SELECT k, COUNT(*) AS n FROM Input TIMESTAMP BY t PARTITION BY PartitionId GROUP BY k, Tumbling(s, 1)",
        "SELECT k, COUNT(*) AS n FROM Input TIMESTAMP BY t PARTITION BY k GROUP BY k, Tumbling(s, 1)",
        "1:30",
    ),
    (
        "QL004",
        "SELECT a.v FROM Input a PARTITION BY k JOIN Other b ON DATEDIFF(s, a, b) = 0",
        "SELECT a.v FROM Input a PARTITION BY k JOIN Other b ON DATEDIFF(s, a, b) = 0 AND a.k = b.k",
        "1:17",
    ),
    ("QL005", "SELECT CAST(a AS bigint) AS b FROM Input", "SELECT TRY_CAST(a AS bigint) AS b FROM Input", "1:8"),
    ("QL005", "SELECT a / b AS c FROM Input", "SELECT a / 2 AS c FROM Input", "1:10"),
    ("QL005", "SELECT a % b AS c FROM Input", "SELECT a + b AS c FROM Input", "1:10"),
    ("QL005", "SELECT udf.f(a) AS b FROM Input", "SELECT LEN(a) AS b FROM Input", "1:8"),
    ("QL005", "SELECT LEFT(a, b) AS c FROM Input", "SELECT LEFT(a, 2) AS c FROM Input", "1:8"),
    ("QL005", "SELECT SUBSTRING(a, 1, -1) AS c FROM Input", "SELECT SUBSTRING(a, 1, 2) AS c FROM Input", "1:8"),
    ("QL005", "SELECT TRANSLATE(a, 'ab', 'c') AS c FROM Input", "SELECT TRANSLATE(a, 'a', 'c') AS c FROM Input", "1:8"),
    (
        "QL005",
        "SELECT DATETIMEFROMPARTS(a, 1, 1, 0, 0, 0, 0) AS c FROM Input",
        "SELECT DATETIMEFROMPARTS(2020, 1, 1, 0, 0, 0, 0) AS c FROM Input",
        "1:8",
    ),
    (
        "QL005",
        "SELECT GetArrayLength(a) AS c FROM Input",
        "SELECT GetArrayLength(TRY_CAST(a AS array)) AS c FROM Input",
        "1:8",
    ),
    (
        "QL005",
        "SELECT e.ArrayIndex FROM Input i CROSS APPLY GetArrayElements(i.l) AS e",
        "SELECT e.ArrayIndex FROM Input i CROSS APPLY GetArrayElements(TRY_CAST(i.l AS array)) AS e",
        "1:34",
    ),
    (
        "QL007",
        "SELECT * FROM Input i JOIN Ref r ON i.k = r.k",
        "SELECT i.*, r.b FROM Input i JOIN Ref r ON i.k = r.k",
        "1:8",
    ),
    (
        "QL008",
        "SELECT LAG(a) OVER (PARTITION BY k LIMIT DURATION(s, 1)) AS p FROM Input WHERE a > 1",
        "SELECT LAG(a) OVER (PARTITION BY k LIMIT DURATION(s, 1) WHEN a > 1) AS p FROM Input WHERE a > 1",
        "1:8",
    ),
    (
        "QL009",
        "SELECT LAG(a) OVER (LIMIT DURATION(s, 1)) AS p FROM Input",
        "SELECT LAG(a) OVER (PARTITION BY k LIMIT DURATION(s, 1)) AS p FROM Input",
        "1:8",
    ),
    (
        "QL009",
        "SELECT ISFIRST(mi, 1) AS p FROM Input",
        "SELECT ISFIRST(mi, 1) OVER (PARTITION BY k) AS p FROM Input",
        "1:8",
    ),
    (
        "QL010",
        "SELECT LEN(a) AS l, COUNT(*) AS n FROM Input TIMESTAMP BY t GROUP BY l, Tumbling(s, 1)",
        "SELECT LEN(a) AS l, COUNT(*) AS n FROM Input TIMESTAMP BY t GROUP BY LEN(a), Tumbling(s, 1)",
        "1:70",
    ),
    (
        "QL010",
        "SELECT COUNT(*) AS n FROM Input TIMESTAMP BY t GROUP BY Tumbling(s, 1) HAVING n > 1",
        "SELECT COUNT(*) AS n FROM Input TIMESTAMP BY t GROUP BY Tumbling(s, 1) HAVING COUNT(*) > 1",
        "1:79",
    ),
    (
        "QL011",
        "WITH s AS (SELECT a FROM Input) SELECT a FROM Input",
        "WITH s AS (SELECT a FROM Input), t AS (SELECT a FROM s) SELECT a FROM t",
        "1:6",
    ),
    (
        "QL012",
        "SELECT a INTO o FROM Input; SELECT b INTO O FROM Input",
        "SELECT a INTO o FROM Input; SELECT b INTO p FROM Input",
        "1:43",
    ),
    ("QL014", "SELECT a FROM Input WHERE a = NULL", "SELECT a FROM Input WHERE a IS NULL", "1:29"),
    (
        "QL015",
        "SELECT COUNT(*) AS n FROM Input TIMESTAMP BY t GROUP BY Hopping(s, 5, 10)",
        "SELECT COUNT(*) AS n FROM Input TIMESTAMP BY t GROUP BY Hopping(s, 10, 5)",
        "1:57",
    ),
    (
        "QL016",
        "SELECT a, b FROM Input UNION SELECT b, a FROM Other",
        "SELECT a, b FROM Input UNION SELECT A, c AS b FROM Other",
        "1:30",
    ),
    (
        "QL017",
        "SELECT a.v FROM Input a TIMESTAMP BY t OVER k JOIN Other b TIMESTAMP BY t ON DATEDIFF(s, a, b) = 0",
        "SELECT a.v FROM Input a TIMESTAMP BY t OVER k JOIN Other b TIMESTAMP BY t OVER k ON DATEDIFF(s, a, b) = 0",
        "1:52",
    ),
    (
        "QL017",
        "SELECT COUNT(*) AS n FROM Input TIMESTAMP BY t OVER k GROUP BY Tumbling(s, 1)",
        "SELECT COUNT(*) AS n FROM Input TIMESTAMP BY t OVER k GROUP BY k, Tumbling(s, 1)",
        "1:1",
    ),
    (
        "QL018",
        "CREATE TABLE Input (a bigint); SELECT b FROM Input",
        "CREATE TABLE Input (a bigint); SELECT A FROM Input",
        "1:39",
    ),
    (
        "QL018",
        "CREATE TABLE Ref (k bigint); SELECT i.a FROM Input i JOIN Ref r ON i.k = r.z",
        "CREATE TABLE Ref (k bigint); SELECT i.a FROM Input i JOIN Ref r ON i.k = r.k",
        "1:74",
    ),
    ("QL019", "SELECT a, b AS A FROM Input", "SELECT a, b FROM Input", "1:11"),
    (
        "QL020",
        "SELECT a INTO x FROM Input TIMESTAMP BY t; SELECT a INTO y FROM Input",
        "SELECT a INTO x FROM Input TIMESTAMP BY t; SELECT a INTO y FROM Input TIMESTAMP BY T",
        "1:65",
    ),
    ("QL021", "SELECT LEN(a) AS l FROM Input WHERE l > 1", "SELECT LEN(a) AS l FROM Input WHERE LEN(a) > 1", "1:37"),
    ("QL021", "SELECT a * 2 AS b, b + 1 AS c FROM Input", "SELECT UPPER(b) AS b, CONCAT(b, a) AS c FROM Input", "1:20"),
    ("QL022", "SELECT LEN(a) / 2 AS h FROM Input", "SELECT LEN(a) / 2.0 AS h FROM Input", "1:15"),
    ("QL023", "SELECT a + 1 FROM Input", "SELECT a + 1 AS b FROM Input", "1:8"),
    ("QL024", LEFT + "WHERE r.b = 1", LEFT + "WHERE r.b IS NULL OR r.b = 1", "1:64"),
    (
        "QL025",
        "SELECT COUNT(*) AS n FROM Input TIMESTAMP BY t GROUP BY Session(s, 5)",
        "SELECT COUNT(*) AS n FROM Input TIMESTAMP BY t GROUP BY Session(s, 5, 60)",
        "1:57",
    ),
    ("QL026", "SELECT DISTINCT a FROM Input", "SELECT a FROM Input", "1:1"),
    ("QL026", "SELECT a FROM (SELECT a FROM Input) q", "WITH q AS (SELECT a FROM Input) SELECT a FROM q", "1:15"),
    ("QL026", "SELECT a FROM Input CROSS JOIN Ref", "SELECT Input.a FROM Input JOIN Ref ON 1 = 1", "1:21"),
    ("QL027", "SELECT a * 2 AS b FROM Input", "CREATE TABLE Input (a bigint); SELECT a * 2 AS b FROM Input", "1:8"),
    ("QL027", "SELECT YEAR(a) AS b FROM Input", "SELECT YEAR(TRY_CAST(a AS datetime)) AS b FROM Input", "1:13"),
    (
        "QL027",
        "SELECT SUM(a) AS b FROM Input TIMESTAMP BY t GROUP BY Tumbling(s, 1)",
        "SELECT SUM(TRY_CAST(a AS float)) AS b FROM Input TIMESTAMP BY t GROUP BY Tumbling(s, 1)",
        "1:12",
    ),
]


def without_else(node: object) -> tree.Case | None:
    """The CASE of a tree without its ELSE, which the parser may not take."""
    return replace(node, otherwise=None) if isinstance(node, tree.Case) else None


def test_case_without_else_is_found() -> None:
    job = parse("SELECT CASE WHEN a > 1 THEN 1 ELSE 2 END AS b FROM Input")
    assert lint(job, bind(job)) == []
    cut = rewritten(job, without_else)
    assert [(finding.rule, finding.column) for finding in lint(cut, bind(cut))] == [("QL006", 8)]
    assert bind(cut).to_json()["steps"][1]["project"][0]["expr"]["else"] is None


def findings(query: str, late_seconds: float = 5.0) -> list[Finding]:
    job = parse(query)
    return lint(job, bind(job, references=REFERENCES), late_seconds)


@pytest.mark.parametrize(("rule", "mistake", "clean", "place"), EXAMPLES)
def test_a_rule_finds_its_mistake_and_nothing_where_there_is_none(
    rule: str, mistake: str, clean: str, place: str
) -> None:
    places = [f"{finding.line}:{finding.column}" for finding in findings(mistake) if finding.rule == rule]
    assert places[:1] == [place]
    assert [finding for finding in findings(clean) if finding.rule == rule] == []


def test_long_waits_need_a_late_tolerance() -> None:
    assert [finding.rule for finding in findings(HOURS, late_seconds=0)] == ["QL013"]
    assert findings(HOURS) == []
    assert findings(HOURS.replace("2)", "1)"), late_seconds=0) == []
    join = "SELECT a.v FROM Input a TIMESTAMP BY t JOIN Other b TIMESTAMP BY t ON DATEDIFF(hour, a, b) BETWEEN 0 AND 3"
    assert [finding.rule for finding in findings(join, late_seconds=0)] == ["QL013"]


def test_each_rule_is_explained_and_has_an_example() -> None:
    assert {rule for rule, *_ in EXAMPLES} | {"QL006", "QL013", "QL028"} == set(RULES)
    assert all(text.endswith(".") for text in RULES.values())


def test_a_call_of_a_function_is_told_by_what_the_project_has() -> None:
    job = parse("SELECT udf.Score(a) AS s, udf.safe(a) AS n, udf.strict(a) AS t, udf.other(a) AS o FROM Input")
    scripts = {"score": None, "safe": "// no throw\nfunction main(a) {return a;}", "strict": "if (!a) { throw 1 }"}
    pairs = [(finding.rule, finding.message.split()[0]) for finding in lint(job, bind(job), functions=scripts)]
    assert pairs == [("QL005", "udf.strict"), ("QL028", "udf.other")]


def test_findings_come_in_the_order_of_the_text_each_once() -> None:
    query = "WITH s AS (SELECT a / b AS c FROM Input)\nSELECT c + 1, c * 2 AS d INTO x FROM s;\nSELECT c INTO y FROM s"
    places = [(finding.line, finding.column) for finding in findings(query)]
    assert places == sorted(places)
    assert len(findings(query)) == len(set(findings(query)))


def test_a_column_of_unknown_type_is_told_once() -> None:
    assert [finding.rule for finding in findings("SELECT a * 2 AS b, a * 3 AS c, -a AS d FROM Input")] == ["QL027"]
