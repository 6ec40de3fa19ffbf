"""The canonical files of a project: the bundled ones, what the query says, and that all compiles without surprises."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fraudstream.asaql.plan.compiling import compile_text
from fraudstream.asaql.project_files.folder import read_project
from fraudstream.asaql.template import case_texts, project_texts, query_text
from fraudstream.asaql.template.times import moment_text
from fraudstream.asaql.template.writing import name, number, text, unused, wrapped
from fraudstream.core.contract.field_rules import FieldRule
from fraudstream.core.contract.times import TimeForm
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project import places
from fraudstream.core.project import project as projects
from fraudstream.core.project.project import Project, bundled

pytestmark = pytest.mark.timeless

ODD_PROJECTS = Path(__file__).parents[3] / "projects"
# What a bundled project has written itself: `cards` computes inputs of its model.
OWN_FILES = {
    "cards": (
        "stream-analytics/fraud.asaql",
        "stream-analytics/JobConfig.json",
        "tests/first-events/rejected.jsonl",
        "tests/first-events/scored.jsonl",
    ),
    "payments": (),
}
WITH_QUERY = [
    known for known in places.bundled_names() if (places.bundled_folder() / known / "stream-analytics").is_dir()
]


@pytest.fixture(scope="module")
def payments() -> Project:
    return bundled("payments")


def with_rules(project: Project, *rules: FieldRule) -> Project:
    return replace(project, rules=(*project.rules, *rules))


def lines_with(query: str, part: str) -> list[str]:
    return [" ".join(line.split()) for line in query.splitlines() if part in line]


@pytest.mark.parametrize("known", WITH_QUERY)
def test_a_bundled_projects_files_are_the_canonical_ones(known: str) -> None:
    project = bundled(known)
    sent = (project.folder / "tests" / "first-events" / "transactions.jsonl").read_text("utf-8").splitlines()
    added = ("EventProcessedUtcTime", "PartitionId", "EventEnqueuedUtcTime")
    # The last one is made of the first.
    events = [{name: part for name, part in json.loads(line).items() if name not in added} for line in sent[:-1]]
    files = [file for folder in ("stream-analytics", "tests") for file in (project.folder / folder).rglob("*.*")]
    there = {str(file.relative_to(project.folder)): file.read_text("utf-8") for file in files}
    canonical = project_texts(project) | case_texts(project, events)
    differing = {file for file in there | canonical if there.get(file) != canonical.get(file)}
    assert differing == set(OWN_FILES[known])


def test_payments_has_a_query() -> None:
    assert "payments" in WITH_QUERY


@pytest.mark.parametrize("folder", ["cards", "flat", "renamed"])
def test_the_query_of_any_project_compiles(folder: str) -> None:
    plan = compile_text(query_text(projects.read_project(ODD_PROJECTS / folder)))
    assert [output.name for output in plan.outputs] == ["scored", "alerts", "rejected"]


def test_the_files_are_read_back_as_a_project_of_microsofts_tools(payments: Project) -> None:
    project = read_project(payments.folder / "stream-analytics")
    assert (project.name, project.notes) == ("payments", ())
    assert [output.alias for output in project.outputs] == ["scored", "alerts", "rejected"]
    assert project.live_input("transactions") is not None
    assert [(place.name, place.script is not None) for place in project.functions] == [
        ("score", False),
        ("source", True),
    ]
    assert (project.job.late_seconds, project.job.level) == (5, "1.2")
    # No namespace, key or password stands in them.
    assert all(
        'Key": null' in line for file in project.files for line in file.read_text().splitlines() if "PolicyKey" in line
    )


def test_the_query_checks_each_field_and_selects_it(payments: Project) -> None:
    query = query_text(payments)
    for rule in payments.rules:
        assert f"THEN '{rule.name}'" in query
        assert query.count(f"d.{rule.name},") == 2
    assert lines_with(query, "t.credit") == [
        "WHEN t.credit IS NULL OR GetType(t.credit) != 'bigint' THEN 'credit'",
        "WHEN t.credit < 0 OR t.credit > 2 THEN 'credit'",
    ]
    assert max(map(len, query.splitlines())) <= 120


def test_records_are_kept_apart_by_the_projects_key(payments: Project) -> None:
    def keys(project: Project) -> list[Any]:
        texts = project_texts(project)
        outputs = (json.loads(texts[f"stream-analytics/Outputs/{output}.json"]) for output in ("scored", "rejected"))
        return [output["EventHubProperties"]["PartitionKey"] for output in outputs]

    assert keys(payments) == ["id", "key"]
    # A column of an output: a field inside of one is none.
    cards = projects.read_project(ODD_PROJECTS / "cards")
    assert keys(cards) == [None, "key"]
    assert "TRY_CAST(c.card.number AS nvarchar(max)) AS [key]" in query_text(cards)


def test_rules_of_all_kinds_become_conditions(payments: Project) -> None:
    inner = FieldRule("a.kind", "text", required=True, choices=("1", "two's"), path=("a", "kind"))
    rules = [
        FieldRule("flag", "bool", choices=(True,)),
        FieldRule("list", "array", required=True, least_length=1, most_length=3),
        FieldRule("a", "object", fields=(inner,)),
        FieldRule("code", "text", required=True, pattern="x", shown_pattern="^[a-z]'s$"),
        FieldRule("rate", "float", required=True, minimum=0.5, is_above_minimum=True, maximum=1e300),
    ]
    query = query_text(with_rules(payments, *rules))
    assert "WHEN t.flag != 1 THEN 'flag'" in query
    assert "WHEN GetArrayLength(TRY_CAST(t.list AS array)) NOT BETWEEN 1 AND 3 THEN 'list'" in query
    assert "WHEN t.a IS NOT NULL AND (t.a.kind IS NULL OR GetType(t.a.kind) != 'nvarchar(max)') THEN 'a.kind'" in query
    assert "WHEN TRY_CAST(t.a.kind AS nvarchar(max)) NOT IN ('1', 'two''s') THEN 'a.kind'" in query
    assert "WHEN REGEXMATCH(t.code, '^[a-z]''s$') = 0 THEN 'code'" in query
    assert f"WHEN t.rate <= 0.5 OR t.rate > 1{'0' * 300}.0 THEN 'rate'" in " ".join(query.split())
    compile_text(query)


def test_names_of_the_query_are_not_those_of_fields(payments: Project) -> None:
    rules = [FieldRule(taken, "text") for taken in ("field", "Decision", "Score", "key")]
    query = query_text(with_rules(payments, *rules))
    compile_text(query)
    assert "WHERE c.field_2 = ''" in query
    assert "d.decision_2.prediction = 1" in query
    assert "c.field_2 AS field," in query
    # To the language the event's Score is the decision's: that one goes out.
    assert "d.Score" not in query


@pytest.mark.parametrize(
    ("written", "taken"),
    [("a1_b", "a1_b"), ("select", "[select]"), ("Key", "[Key]"), ("a]b", "[a]]b]"), ("ü", "[ü]"), ("1a", "[1a]")],
)
def test_names_stand_in_brackets_where_they_have_to(written: str, taken: str) -> None:
    assert name(written) == taken


def test_literals_and_lines() -> None:
    assert [number(value) for value in (3, -1.5, 1e21, 2**63, 1e-7)] == [
        *("3", "-1.5", "1000000000000000000000.0", "9223372036854776000.0", "0.0000001")
    ]
    assert text("it's") == "'it''s'"
    assert unused("field", ["FIELD", "field_2"]) == "field_3"
    assert wrapped(f"WHEN '{'a ' * 40}' = [{'b ' * 20}] THEN 1", 4, 4).count("\n") == 1


def test_a_form_that_the_language_cannot_read_is_refused_with_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match=r"%f.*%z.*last parts.*by hand"):
        moment_text(TimeForm("%H:%M:%S.%f %d/%m/%Y"), "t.a")
    origin = datetime(2017, 12, 1, tzinfo=UTC)
    assert "'2017-12-01T00:00:00Z'" in moment_text(TimeForm("epoch", "s", origin), "t.a").moment


def test_the_first_case_names_what_comes_out(payments: Project) -> None:
    event = {
        **{"id": 7, "date": "03/02/2026 04:05:06", "amount": 1.5, "old_balance": 2, "income": 3, "credit": 0},
        **{
            "marital_status": 0,
            "children": 0,
            "month": 2,
            "day_of_week": "tuesday",
            "category_recipient": "food_store",
        },
        **{"transaction_type": "online", "transaction_method": "phone", "foreign_transaction": 0},
    }
    texts = case_texts(payments, [event])
    case = json.loads(texts["tests/testConfig.json"])["TestCases"][0]
    assert [(output["OutputAlias"], output["Required"]) for output in case["ExpectedOutputs"]] == [
        *(("scored", True), ("alerts", False), ("rejected", True))
    ]
    scored = json.loads(texts["tests/first-events/scored.jsonl"])
    assert scored["event_time"] == "2026-02-03T04:05:06.0000000Z"
    # A column that the event lacks is NULL; what the model says is not compared.
    assert scored["isFraud"] is None
    assert "score" not in scored
    rejected = json.loads(texts["tests/first-events/rejected.jsonl"])
    assert (rejected["field"], rejected["key"]) == ("amount", "7")
    sent = [json.loads(line) for line in texts["tests/first-events/transactions.jsonl"].splitlines()]
    assert [row["amount"] for row in sent] == [1.5, "no number"]


def test_without_an_event_the_case_expects_nothing(payments: Project) -> None:
    texts = case_texts(payments, [])
    assert {texts[f"tests/first-events/{output}.jsonl"] for output in ("scored", "alerts", "rejected")} == {""}
