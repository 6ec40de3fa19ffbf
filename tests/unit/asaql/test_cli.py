"""``fraudstream query`` as a user calls it, up to where Spark would start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fraudstream.asaql.cli import app
from fraudstream.core.errors import FraudstreamError

pytestmark = pytest.mark.timeless

PROJECTS = Path(__file__).parents[2] / "asaql" / "projects"
runner = CliRunner()


def called(*words: str) -> str:
    """What the command prints; raises its error."""
    done = runner.invoke(app, words, catch_exceptions=False, standalone_mode=False)
    return done.stdout


def status(*words: str) -> int:
    return runner.invoke(app, words, catch_exceptions=False).exit_code


@pytest.fixture
def query(tmp_path: Path) -> Path:
    file = tmp_path / "q.asaql"
    file.write_text("SELECT a INTO o FROM i TIMESTAMP BY t", "utf-8")
    return file


def test_explain_tells_the_steps_in_every_form() -> None:
    place = str(PROJECTS / "cold_chain")
    assert "output minutes" in called("explain", place)
    assert called("explain", place, "--format", "mermaid").startswith("flowchart")
    plan: dict[str, Any] = json.loads(called("explain", place, "--format", "json"))
    assert [source["kind"] for source in plan["inputs"]] == ["reference", "stream"]


def test_lint_has_a_status_and_findings_with_their_places() -> None:
    place = str(PROJECTS / "cold_chain")
    assert status("lint", place) == 1
    report = json.loads(runner.invoke(app, ["lint", place, "--json"]).stdout)
    assert (28, 9, "QL008") in [(finding["line"], finding["column"], finding["rule"]) for finding in report["findings"]]
    assert set(report["rules"]) == {finding["rule"] for finding in report["findings"]}


def test_lint_without_findings_ends_well(query: Path) -> None:
    assert status("lint", str(query)) == 0


@pytest.mark.parametrize("command", [["explain"], ["lint"], ["export", "--output-dir", "out"]])
def test_reference_data_of_a_query_alone_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("q.asaql").write_text("SELECT i.k, r.v INTO o FROM i TIMESTAMP BY t JOIN r ON i.k = r.k", "utf-8")
    with pytest.raises(FraudstreamError, match=r"q\.asaql:1:46: The join with r has no bounds of time"):
        called(*command, "q.asaql")
    called(*command, "q.asaql", "--reference", "r")


def test_export_writes_the_module_and_what_it_reads(tmp_path: Path) -> None:
    report = json.loads(called("export", str(PROJECTS / "toll"), "--output-dir", str(tmp_path), "--json"))
    assert sorted(Path(file).relative_to(tmp_path).as_posix() for file in report["files"]) == [
        "functions/plateState.js",
        "job.bicep",
        "query.asaql",
    ]
    assert all(Path(file).is_file() for file in report["files"])
    assert len(report["notes"]) == 4


@pytest.mark.parametrize("command", [["explain"], ["lint"], ["run"], ["test"], ["export", "--output-dir", "out"]])
def test_a_query_that_is_wrong_is_told_by_file_line_and_column(tmp_path: Path, command: list[str]) -> None:
    file = tmp_path / "q.asaql"
    file.write_text("SELECT a\nFROM i FULL JOIN k ON i.a = k.a", "utf-8")
    (tmp_path / "testConfig.json").write_text('{"TestCases": [{"Name": "a"}]}', "utf-8")
    with pytest.raises(FraudstreamError, match=r"q\.asaql:2:8: FULL JOIN is not in the language"):
        called(*command, str(file))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "The input i has no records: give --input i=FILE. The query reads i"),
        (["--input", "k=x.json"], "--input k: the query does not read it; it reads i"),
        (["--input", "i=none.json"], "--input i: there is no file none.json"),
        (["--reference", "r=x.json"], "--reference r: the query does not read it; it reads nothing"),
    ],
)
def test_inputs_that_cannot_be_bound_are_told_before_spark_starts(query: Path, words: list[str], message: str) -> None:
    with pytest.raises(FraudstreamError, match=message):
        called("run", str(query), *words)


def test_a_function_without_a_script_is_told_by_its_place(tmp_path: Path) -> None:
    file = tmp_path / "q.asaql"
    file.write_text("SELECT a,\n  udf.risk(a) AS s FROM i", "utf-8")
    with pytest.raises(FraudstreamError, match=r"q\.asaql:2:3: udf\.risk has no script in the project"):
        called("run", str(file), "--input", str(file))


def test_a_folder_for_outputs_that_cannot_be_made_is_told(query: Path) -> None:
    (query.parent / "x.json").touch()
    with pytest.raises(FraudstreamError, match=r"--output-dir .*: the folder cannot be made"):
        called("run", str(query), "--input", str(query.parent / "x.json"), "--output-dir", str(query / "inside"))


@pytest.mark.parametrize(
    "text", ["SELECT a,\n udf.f(a) AS b FROM i", "SELECT\n uda.f(a) FROM i GROUP BY System.Timestamp()"]
)
def test_eventstreams_operator_has_no_functions_of_ones_own(query: Path, text: str) -> None:
    query.write_text(text, "utf-8")
    assert "output output" in called("explain", str(query))
    with pytest.raises(FraudstreamError, match=r"q\.asaql:2:2: Eventstream's SQL operator has no functions"):
        called("explain", str(query), "--dialect", "fabric")
