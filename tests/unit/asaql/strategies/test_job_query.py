"""Which output of a project's query runs how, and what stops the job at its start."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.project_files.folder import FunctionPlace, OutputPlace, QueryProject
from fraudstream.asaql.project_files.models import FunctionFile, OutputFile
from fraudstream.asaql.strategies.job_query import JobQuery, compiled_query, job_query
from fraudstream.core.contract.event import FEATURES, ID, PROJECT
from fraudstream.core.contract.times import TimeForm
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.project import Project, bundled

FILES = job_query(PROJECT).files
TEXT = FILES.text
SELECTED = f"SELECT t.{ID} INTO scored FROM transactions t"


def of(text: str, *outputs: OutputPlace, project: Project = PROJECT, files: QueryProject = FILES) -> JobQuery:
    """The query of a text, with further outputs."""
    return compiled_query(project, replace(files, text=text, outputs=(*files.outputs, *outputs)))


def output(name: str, **hub: str) -> OutputPlace:
    return OutputPlace(Path(f"{name}.json"), OutputFile.of({"Name": name, "EventHubProperties": hub}, name))


def strategies(query: JobQuery) -> dict[str, str]:
    return {run.name: run.strategy for run in query.outputs}


CONTRACT = dict.fromkeys(("scored", "alerts", "rejected"), "contract")


def test_the_bundled_project_runs_by_the_contract_function_and_compiles_nothing() -> None:
    query = job_query(bundled("payments"))
    assert strategies(query) == CONTRACT
    assert query.plan is None
    assert query.scores
    assert not query.is_plain
    assert query.topics == ("scored", "alerts", "rejected")


@pytest.mark.parametrize(
    ("text", "may_filter"),
    [
        (TEXT, False),
        (f"{SELECTED} WHERE t.{ID} > 5", True),
        (f"SELECT t.{ID} INTO rejected FROM transactions t", True),
    ],
)
def test_only_a_query_of_the_projects_own_lets_events_come_out_nowhere(text: str, may_filter: bool) -> None:
    assert of(text).may_filter is may_filter


def test_a_project_without_a_query_gets_the_canonical_one(tmp_path: Path) -> None:
    assert strategies(job_query(replace(PROJECT, folder=tmp_path))) == CONTRACT


def test_a_project_whose_times_the_language_cannot_read_runs_the_query_that_it_has() -> None:
    unread = TimeForm("%H:%M:%S.%f %d/%m/%Y")
    rules = tuple(replace(rule, time=unread) if rule.kind == "time" else rule for rule in PROJECT.rules)
    project = replace(PROJECT, rules=rules)
    # There is no canonical text that the outputs of this one could have.
    assert strategies(of(TEXT, project=project)) == dict.fromkeys(CONTRACT, "rows")
    assert strategies(of(SELECTED, project=project)) == {"scored": "rows"}
    with pytest.raises(ConfigurationError, match="by hand"):
        job_query(replace(project, folder=Path("nowhere")))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("SELECT", "select"),
        ("\n", "\r\n"),
        ("checked", "looked_at"),
        ("FROM features f", "FROM features AS f"),
        ("c.", "C."),
        ("-- What happens", "-- Nobody knows what happens"),
        ("    ", "\t"),
    ],
)
def test_what_does_not_change_the_query_does_not_change_how_it_runs(before: str, after: str) -> None:
    assert TEXT.replace(before, after) != TEXT
    assert strategies(of(TEXT.replace(before, after))) == CONTRACT


@pytest.mark.parametrize(
    ("before", "after", "rows"),
    [
        ("System.Timestamp() AS scored_at", "'x' AS scored_at", {"scored", "alerts"}),
        ("d.decision.prediction = 1", "d.decision.score > 0.25", {"alerts"}),
        ("WHERE c.field = ''", "WHERE c.field = '' AND c.amount != 1", {"scored", "alerts"}),
        (": missing, of a wrong type", ": Missing, of a wrong type", {"rejected"}),
        ("udf.score(f)", "udf.score(f, 1)", {"scored", "alerts"}),
        ("TIMESTAMP BY EventEnqueuedUtcTime", "TIMESTAMP BY EventProcessedUtcTime", {"scored", "alerts", "rejected"}),
    ],
)
def test_an_output_with_another_text_runs_row_by_row_and_the_others_as_before(
    before: str, after: str, rows: set[str]
) -> None:
    assert before in TEXT
    query = of(TEXT.replace(before, after))
    assert strategies(query) == CONTRACT | dict.fromkeys(rows, "rows")
    assert {run.why for run in query.outputs if run.strategy == "rows"} == {"its text is not the canonical one"}


def test_a_query_without_alerts_gives_one_record_for_each() -> None:
    first, alerts, last = TEXT.partition("INTO scored\nFROM decided d;")[0], *TEXT.split("INTO alerts")
    rejected = last[last.index("SELECT\n    CONCAT") :]
    assert alerts.startswith(first)
    assert of(f"{first}INTO scored\nFROM decided d;\n{rejected}").is_plain


def test_windows_run_in_a_query_of_their_own_beside_the_contract_function() -> None:
    window = f"SELECT COUNT(t.{ID}) AS count INTO busy FROM transactions t GROUP BY TumblingWindow(minute, 1)"
    query = of(f"{TEXT}\n{window}", output("busy"), project=replace(PROJECT, outputs=("busy",)))
    assert strategies(query) == CONTRACT | {"busy": "windows"}
    assert (query.outputs[3].why, query.topics) == ("a step keeps state", ("scored", "alerts", "rejected"))


def test_another_topic_than_the_events_is_nothing_that_rows_are_made_of() -> None:
    query = of("SELECT l.x INTO scored FROM labels l")
    assert strategies(query) == {"scored": "windows"}
    assert "it reads labels" in query.outputs[0].why


def test_another_key_is_not_the_contract_functions() -> None:
    keyed = replace(FILES, outputs=(output("scored", PartitionKey="credit"), output("alerts", PartitionKey=ID.upper())))
    query = compiled_query(PROJECT, keyed)
    assert strategies(query) == CONTRACT | {"scored": "rows"}
    assert [run.key for run in query.outputs] == ["credit", None, None]


def test_a_score_that_is_a_script_is_not_the_model() -> None:
    script = FunctionPlace(Path("score.js"), FunctionFile.of({"Name": "score"}, "score.js"), Path("score.js"))
    query = compiled_query(PROJECT, replace(FILES, functions=(*FILES.functions[1:], script)))
    assert strategies(query) == dict.fromkeys(CONTRACT, "rows")
    assert not query.scores


def test_outputs_bind_to_the_hubs_of_their_files() -> None:
    renamed = output("big", EventHubName="large-ones", PartitionKey="who")
    query = of(
        f"SELECT t.{ID} AS who INTO BIG FROM transactions t", renamed, project=replace(PROJECT, outputs=("large-ones",))
    )
    (run,) = query.outputs
    assert (run.name, run.topic, run.key, run.strategy) == ("BIG", "large-ones", "who", "rows")
    assert query.topics == ("large-ones", "rejected")


@pytest.mark.parametrize(
    ("name", "hub", "problem"),
    [("lost", "", "no file in Outputs describes the output lost"), ("loop", "transactions", "others write")],
)
def test_an_output_that_leads_nowhere_is_refused(name: str, hub: str, problem: str) -> None:
    text = f"SELECT t.{ID} INTO {name} FROM transactions t"
    with pytest.raises(ConfigurationError, match=problem):
        of(text, *([output(name, EventHubName=hub)] if hub else []))


def test_what_is_not_in_the_language_is_told_with_its_place() -> None:
    with pytest.raises(QueryError, match=r"fraud\.asaql:2:7: ") as error:
        of("SELECT *\nFROM a, b")
    assert error.value.line == 2


@pytest.mark.parametrize(
    ("given", "is_own"),
    [
        ("SELECT t.* FROM transactions t", True),
        ("SELECT t.*, 1 AS one FROM transactions t", True),
        # The star stands before it, and yet nobody should have to know that.
        (f"SELECT t.*, 1 AS {FEATURES[0]} FROM transactions t", False),
        (f"SELECT 1 AS {FEATURES[0]}, t.* FROM transactions t", False),
        (f"SELECT t.{ID}, {', '.join(f't.{name}' for name in FEATURES)} FROM transactions t", True),
        (f"SELECT {', '.join(f't.{name}' for name in FEATURES[1:])} FROM transactions t", False),
        (f"SELECT t.{FEATURES[1]} AS {FEATURES[0]}, t.* FROM transactions t", False),
        (f"SELECT TRY_CAST(t.{FEATURES[0]} AS float) AS {FEATURES[0]}, t.* FROM transactions t", False),
    ],
)
def test_the_service_answers_for_the_events_own_fields_alone(given: str, is_own: bool) -> None:
    query = of(f"WITH s AS ({given}) SELECT udf.score(s) AS decision INTO scored FROM s")
    assert query.scores
    if is_own:
        query.require_remote()
        return
    with pytest.raises(QueryError, match=r"asaql:1:\d+: udf\.score is given something else"):
        query.require_remote()


def test_a_query_without_the_model_needs_no_champion() -> None:
    query = of(SELECTED)
    assert not query.scores
    query.require_remote()
