"""Projects by their folders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fraudstream.asaql.project_files.folder import PythonPlace, read_project
from fraudstream.core.project.json_text import ProjectFileError

pytestmark = pytest.mark.timeless

PROJECTS = Path(__file__).parents[3] / "asaql" / "projects"
QUERY = "SELECT * INTO o FROM i"


def written(folder: Path, files: dict[str, Any]) -> Path:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return folder


def test_a_project_as_the_portal_exports_it() -> None:
    project = read_project(PROJECTS / "cold_chain")
    assert (project.name, project.query_file.name, project.notes) == (
        "cold-chain-monitoring",
        "Transformation.asaql",
        (),
    )
    assert [(place.alias, place.entries.is_mock, place.entries.kind) for place in project.inputs] == [
        ("telemetry", False, "stream"),
        ("telemetry", True, "stream"),
        ("sites", False, "reference"),
        ("sites", True, "reference"),
    ]
    local = project.local_input("Telemetry")
    assert local is not None
    assert local.records == PROJECTS / "cold_chain/Inputs/telemetry_sample.json"
    assert [place.alias for place in project.outputs] == ["alarms", "minutes"]
    assert project.job.late_seconds == 5


def test_a_project_written_by_hand_with_what_editors_leave() -> None:
    project = read_project(PROJECTS / "toll" / "asaproj.json")
    assert project.name == "toll"
    assert [note.rpartition("/")[2] for note in project.notes] == [
        "JobConfig.json is not there, and asaproj.json lists it."
    ]
    function = project.function("PLATESTATE")
    assert function is not None
    assert function.script == PROJECTS / "toll/Functions/plateState.js"


@pytest.mark.parametrize("place", ["orders", "orders/late_orders.asaql"])
def test_a_query_alone_is_a_project(place: str) -> None:
    project = read_project(PROJECTS / place)
    assert (project.name, project.project_file, project.inputs) == ("late_orders", None, ())


def test_a_query_of_a_project_beside_it_is_that_project() -> None:
    assert read_project(PROJECTS / "toll" / "toll.asaql").project_file == PROJECTS / "toll" / "asaproj.json"


def test_another_query_beside_a_project_is_its_own(tmp_path: Path) -> None:
    folder = written(tmp_path, {"asaproj.json": {"startFile": "a.asaql"}, "a.asaql": QUERY, "b.asaql": QUERY})
    assert read_project(folder / "b.asaql").project_file is None


def test_a_project_that_lists_nothing_has_the_files_of_its_folders(tmp_path: Path) -> None:
    mock = {"InputAlias": "i", "FilePath": "records.json", "ScriptType": "InputMock"}
    function = {"Name": "f", "ScriptType": "JSFunction"}
    folder = written(
        tmp_path,
        {
            "asaproj.json": {"name": "n"},
            "a.asaql": QUERY,
            "Inputs/Local_i.json": mock,
            "Inputs/records.json": [{"a": 1}],
            "Outputs/o.json": {"Name": "o", "ScriptType": "Output"},
            "Functions/f.js": "function main() {}",
            "Functions/f.js.json": function,
            "JobConfig.json": {"EventsLateArrivalMaxDelayInSeconds": 9},
        },
    )
    project = read_project(folder)
    assert [place.alias for place in project.inputs] == ["i"]
    assert [place.alias for place in project.outputs] == ["o"]
    assert [(place.name, place.script is not None) for place in project.functions] == [("f", True)]
    assert project.job.late_seconds == 9


def test_a_local_input_without_an_alias_has_the_name_of_its_file(tmp_path: Path) -> None:
    listed = [{"filePath": "Inputs\\Local_sensor.json", "subType": "InputMock"}]
    folder = written(
        tmp_path,
        {
            "asaproj.json": {"startFile": "a.asaql", "configurations": listed},
            "a.asaql": QUERY,
            "Inputs/Local_sensor.json": {"FilePath": "..\\data\\x.json", "ScriptType": "InputMock"},
        },
    )
    (place,) = read_project(folder).inputs
    assert place.alias == "sensor"
    assert place.records == folder / "Inputs/../data/x.json"


@pytest.mark.parametrize(
    ("files", "place", "message"),
    [
        ({}, ".", "holds no asaproj.json; nor a query's file"),
        ({"a.asaql": QUERY, "b.asaql": QUERY}, ".", "a.asaql, b.asaql are there: name one"),
        ({}, "none.asaql", "none.asaql is not there"),
        ({"asaproj.json": {"startFile": "x.asaql"}}, ".", "startFile: x.asaql is not there"),
        ({"asaproj.json": {}}, ".", "startFile: the query's file has to be named; 0 are beside it"),
        ({"p.asaproj": "<Project/>"}, "p.asaproj", "is a project of Visual Studio"),
        (
            {
                "asaproj.json": {"startFile": "a.asaql"},
                "a.asaql": QUERY,
                "Inputs/1.json": {"Name": "i", "ScriptType": "Input"},
                "Inputs/2.json": {"Name": "I", "ScriptType": "Input"},
            },
            ".",
            "the input I is described in .*1.json already",
        ),
    ],
)
def test_what_is_no_project_is_told(tmp_path: Path, files: dict[str, Any], place: str, message: str) -> None:
    with pytest.raises(ProjectFileError, match=message):
        read_project(written(tmp_path, files) / place)


def test_functions_in_python_are_found_by_their_files(tmp_path: Path) -> None:
    functions = tmp_path / "Functions"
    written(
        tmp_path,
        {
            **{"q.asaql": QUERY, "asaproj.json": {"startFile": "q.asaql"}},
            **{"Functions/a.py": "def main(): ...", "Functions/b.py": "def entry(): ..."},
            "Functions/b.py.json": {"ScriptType": "Python", "Name": "beta", "Function": "entry"},
            "Functions/c.json": {"ScriptType": "PythonFunction", "Function": "package.module:score"},
            "Functions/d.json": {"ScriptType": "Python", "Function": "../shared/d.py:run"},
            "Functions/e.json": {"ScriptType": "AzureMLFunction"},
        },
    )
    project = read_project(tmp_path)
    assert {place.name: place.python for place in project.functions} == {
        "a": PythonPlace(functions / "a.py", "", "main"),
        "beta": PythonPlace(functions / "b.py", "", "entry"),
        "c": PythonPlace(None, "package.module", "score"),
        "d": PythonPlace(functions / "../shared/d.py", "", "run"),
        "e": None,
    }
    assert all(place.script is None for place in project.functions)
    assert functions / "a.py" in project.files


def test_a_fraudstream_projects_folder_is_its_query(tmp_path: Path) -> None:
    listed = {"name": "mine", "startFile": "fraud.asaql"}
    folder = written(tmp_path / "stream-analytics", {"fraud.asaql": QUERY, "asaproj.json": listed})
    assert read_project(tmp_path) == read_project(folder)
    assert read_project(tmp_path).name == "mine"
