"""What the job's Java process reads of a query: only what it has to compute, and what that calls."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.project_files.folder import InputPlace
from fraudstream.asaql.project_files.models import InputFile
from fraudstream.asaql.strategies.job_file import calls_scripts, job_file, job_json
from fraudstream.asaql.strategies.job_query import JobQuery, compiled_query, job_query
from fraudstream.core.contract.event import ID, PROJECT
from fraudstream.core.errors import ConfigurationError

FILES = job_query(PROJECT).files


def changed(before: str, after: str) -> JobQuery:
    assert before in FILES.text
    return compiled_query(PROJECT, replace(FILES, text=FILES.text.replace(before, after)))


def described(query: JobQuery) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(job_json(query))
    return content


def test_the_canonical_query_has_no_plan() -> None:
    content = described(job_query(PROJECT))
    assert (content["scored"], content["alerts"], content["rows"]) == ("scored", "alerts", None)


def test_the_plan_holds_what_the_rows_need_and_nothing_else() -> None:
    rows = described(changed("d.decision.prediction = 1", "d.decision.score > 0.25"))["rows"]
    assert [output["name"] for output in rows["plan"]["outputs"]] == ["alerts"]
    assert [step["op"] for step in rows["plan"]["steps"]] == ["read", "select", "select", "select", "select"]
    assert [target["output"] for target in rows["targets"]] == ["alerts"]
    content = described(changed("d.decision.prediction = 1", "d.decision.score > 0.25"))
    assert (content["scored"], content["alerts"]) == ("scored", None)


def test_a_script_whose_result_the_job_overwrites_is_not_called() -> None:
    """`udf.source` would need the interpreter of JavaScript for a column that the job itself knows better."""
    query = changed("TIMESTAMP BY EventEnqueuedUtcTime", "TIMESTAMP BY EventProcessedUtcTime")
    assert not calls_scripts(query)
    rows = described(query)["rows"]
    assert not rows["reads_metadata"]
    columns = [item["name"] for step in rows["plan"]["steps"] for item in step.get("project", ()) if "name" in item]
    assert "source" not in columns


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("WHERE c.field = ''", "WHERE c.field = '' AND c.source IS NOT NULL"),
        ("c.source\\n    FROM checked", "c.source, c.source.partition\\n    FROM checked"),
        ("udf.score(f) AS decision", "udf.score(f) AS decision, GetType(f.source) AS kind"),
    ],
)
def test_a_script_that_something_else_reads_is_called(before: str, after: str) -> None:
    before, after = before.replace("\\n", "\n"), after.replace("\\n", "\n")
    query = changed(before, after)
    if "partition" in after:
        query = changed(before, after.replace("c.source.partition", "c.source.partition AS part"))
        query = compiled_query(
            PROJECT, replace(query.files, text=query.files.text.replace("d.source\nINTO scored", "d.part\nINTO scored"))
        )
    assert calls_scripts(query)
    assert described(query)["rows"]["functions"]["udf"]["source"].startswith("//")


def test_a_function_without_a_script_is_refused_with_its_place() -> None:
    query = compiled_query(PROJECT, replace(FILES, text=f"SELECT udf.odd(t.{ID}) AS x INTO scored FROM transactions t"))
    with pytest.raises(QueryError, match=r"asaql:1:8: udf.odd is no function of the project"):
        job_json(query)


def test_the_policy_for_late_events_is_the_jobs() -> None:
    rows = described(changed("t.id IS NULL", "t.id IS NULL OR t.id = 7"))["rows"]
    assert (rows["late_ticks"], rows["drops_late"]) == (50_000_000, False)


REFERENCE = f"SELECT t.{ID}, r.name INTO scored FROM transactions t JOIN ref r ON t.{ID} = r.id"


def test_reference_data_come_from_the_projects_local_file(tmp_path: Path) -> None:
    data = tmp_path / "ref.json"
    data.write_text('{"id": 1, "name": "one"}')
    entries = {"InputAlias": "ref", "Type": "Reference Data", "FilePath": "ref.json", "ScriptType": "InputMock"}
    place = InputPlace(tmp_path / "Local_ref.json", InputFile.of(entries, "Local_ref.json"))
    files = replace(FILES, text=REFERENCE, inputs=(*FILES.inputs, place))
    (reference,) = described(compiled_query(PROJECT, files))["rows"]["references"]
    assert (reference["name"], reference["format"], reference["files"]) == ("ref", "json", [str(data)])
    # The job reads other content anew: that makes no other query.
    data.write_text('{"id": 2, "name": "two"}')
    assert described(compiled_query(PROJECT, files))["rows"]["references"] == [reference]

    entries["FilePath"] = "{date}/{time}/ref.csv"
    dated = replace(place, entries=InputFile.of(entries, "Local_ref.json"))
    (reference,) = described(compiled_query(PROJECT, replace(files, inputs=(*FILES.inputs, dated))))["rows"][
        "references"
    ]
    assert (reference["path"], reference["files"]) == (str(tmp_path / "{date}/{time}/ref.csv"), None)
    assert (reference["format"], reference["date_format"], reference["time_format"]) == ("csv", "yyyy/MM/dd", "HH")

    entries.pop("FilePath")
    bare = replace(place, entries=InputFile.of(entries, "Local_ref.json"))
    with pytest.raises(ConfigurationError, match="the reference data ref have no local file"):
        job_json(compiled_query(PROJECT, replace(files, inputs=(*FILES.inputs, bare))))


def test_the_same_query_is_the_same_file(tmp_path: Path) -> None:
    file = job_file(tmp_path / "query", job_query(PROJECT))
    written_at = file.stat().st_mtime_ns
    assert job_file(tmp_path / "query", job_query(PROJECT)) == file
    assert file.stat().st_mtime_ns == written_at
    assert job_file(tmp_path / "query", changed("t.id IS NULL", "t.id IS NULL OR t.id = 7")) != file


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="FRAUDSTREAM_DATA_DIR"):
        job_file(tmp_path / "file" / "query", job_query(PROJECT))
