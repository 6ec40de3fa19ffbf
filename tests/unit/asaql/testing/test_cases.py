"""Which cases a project has, and which records they take."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fraudstream.asaql.compiling import compiled
from fraudstream.asaql.testing.cases import case_bindings, read_suite, suite_of
from fraudstream.core.project.json_text import ProjectFileError

pytestmark = pytest.mark.timeless

PROJECTS = Path(__file__).parents[3] / "asaql" / "projects"


def project(folder: Path, config: Any, name: str = "test/testConfig.json") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "q.asaql").write_text("SELECT a INTO o FROM i", "utf-8")
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(config), "utf-8")
    return folder


def test_the_file_of_cases_is_found_beside_the_project() -> None:
    suite = read_suite(PROJECTS / "cold_chain", None)
    assert suite.config == PROJECTS / "cold_chain/test/testConfig.json"
    assert suite.references == ("sites",)
    assert [case.name for case in suite.cases] == [
        "A warm freezer is alarmed at its second reading",
        "Cold freezers give no alarm",
    ]
    assert PROJECTS / "cold_chain/test/cases/cold.json" in set(suite.files)


@pytest.mark.parametrize("name", ["testConfig.json", "tests/testConfig.json"])
def test_other_places_are_looked_at(tmp_path: Path, name: str) -> None:
    folder = project(tmp_path, {"TestCases": [{"Name": "a"}]}, name)
    assert read_suite(folder, None).config.resolve() == (folder / name).resolve()


def test_a_file_of_cases_finds_its_project() -> None:
    config = PROJECTS / "toll/test/testConfig.json"
    assert suite_of(config).project.name == "toll"
    assert read_suite(config, None).project.name == "toll"


def test_a_file_of_cases_elsewhere_finds_its_project_by_the_script(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    folder = project(tmp_path / "project", {"TestCases": [{"Name": "a"}]})
    elsewhere = tmp_path / "a" / "b" / "c" / "testConfig.json"
    elsewhere.parent.mkdir(parents=True)
    elsewhere.write_text(json.dumps({"Script": str(folder / "q.asaql"), "TestCases": [{"Name": "a"}]}), "utf-8")
    assert suite_of(elsewhere).project.query_file == folder / "q.asaql"


def test_an_input_that_a_case_lacks_is_the_projects_own() -> None:
    suite = read_suite(PROJECTS / "cold_chain", None)
    bindings = case_bindings(suite, suite.cases[1], compiled(suite.project, references=suite.references))
    assert bindings["telemetry"].files == (PROJECTS / "cold_chain/test/cases/cold.json",)
    assert bindings["sites"].files == (PROJECTS / "cold_chain/Inputs/sites_sample.json",)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"TestCases": []}, "TestCases is empty"),
        ({"TestCases": [{"Name": "a"}, {"Name": "a"}]}, "two cases have the name 'a'"),
    ],
)
def test_a_file_without_usable_cases_is_told(tmp_path: Path, config: Any, message: str) -> None:
    with pytest.raises(ProjectFileError, match=message):
        read_suite(project(tmp_path, config), None)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ([], "a: the input i has no records. Add it to the case's Inputs"),
        ([{"InputAlias": "i"}], "a: i: FilePath is missing"),
        ([{"InputAlias": "i", "FilePath": "none.json"}], "a: i: there is no file"),
        ([{"InputAlias": "i", "FilePath": "x.json"}, {"InputAlias": "k"}], "a: the query does not read k"),
    ],
)
def test_an_input_that_cannot_be_bound_is_told(tmp_path: Path, inputs: Any, message: str) -> None:
    folder = project(tmp_path, {"TestCases": [{"Name": "a", "Inputs": inputs}]})
    (folder / "test/x.json").touch()
    suite = read_suite(folder, None)
    with pytest.raises(Exception, match=message):
        case_bindings(suite, suite.cases[0], compiled(suite.project))


def test_a_missing_file_of_cases_is_told(tmp_path: Path) -> None:
    (tmp_path / "q.asaql").write_text("SELECT a INTO o FROM i", "utf-8")
    with pytest.raises(ProjectFileError, match=r"test/testConfig\.json is not there. Name .* with --config"):
        read_suite(tmp_path, None)


@pytest.mark.parametrize("path", ["../../secret.json", "/etc/passwd", "link/secret.json", "l*k/*.json"])
def test_cases_cannot_read_files_outside_of_the_project(tmp_path: Path, path: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "secret.json").write_text("{}", "utf-8")
    (tmp_path / "own" / "test").mkdir(parents=True)
    (tmp_path / "own" / "test" / "link").symlink_to(tmp_path / "elsewhere")
    inputs = [{"InputAlias": "i", "FilePath": path}]
    suite = read_suite(project(tmp_path / "own", {"TestCases": [{"Name": "a", "Inputs": inputs}]}), None)
    with pytest.raises(ProjectFileError, match=r"a: i: .* lies outside of the project's folder"):
        case_bindings(suite, suite.cases[0], compiled(suite.project))
    with pytest.raises(ProjectFileError, match=r"o: .* lies outside"):
        suite.file("../../secret.json", "o")


def test_cases_may_name_files_of_the_project_and_of_their_own_folder(tmp_path: Path) -> None:
    inputs = [{"InputAlias": "i", "FilePath": "../x.json"}]
    folder = project(tmp_path / "own", {"TestCases": [{"Name": "a", "Inputs": inputs}]}, "test/testConfig.json")
    (folder / "x.json").touch()
    suite = read_suite(folder, None)
    assert [file.name for file in case_bindings(suite, suite.cases[0], compiled(suite.project))["i"].files] == [
        "x.json"
    ]
    elsewhere = tmp_path / "cases" / "testConfig.json"
    elsewhere.parent.mkdir()
    elsewhere.write_text(json.dumps({"TestCases": [{"Name": "a"}]}), "utf-8")
    assert read_suite(folder, elsewhere).file("y.json", "o") == elsewhere.parent / "y.json"
