"""Projects by their folders."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fraudstream.asaql.project_files.folder import PythonPlace, read_project
from fraudstream.asaql.running.bindings import project_binding
from fraudstream.core.errors import ConfigurationError
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


OUTSIDE = [
    "../../secret.csv",
    "..\\..\\secret.csv",
    "/etc/passwd",
    "\\\\server\\share\\secret.csv",
    "{absolute}",
    "link/s.csv",
]


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A folder `own` with a query, beside a file that is nobody's business, and with a link to where that is."""
    (tmp_path / "secret.csv").write_text("password\nxyzzy\n", "utf-8")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "s.csv").write_text("password\nxyzzy\n", "utf-8")
    folder = written(tmp_path / "own", {"a.asaql": QUERY})
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    (folder / "Inputs").mkdir()
    (folder / "Inputs" / "link").symlink_to(tmp_path / "elsewhere")
    return folder


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_project_cannot_list_files_outside_of_its_folder(hostile: Path, path: str) -> None:
    path = path.replace("{absolute}", str(hostile.parent / "secret.csv"))
    written(hostile, {"asaproj.json": {"startFile": "a.asaql", "configurations": [{"filePath": path}]}})
    with pytest.raises(ProjectFileError, match="lies outside of the project's folder"):
        read_project(hostile)
    written(hostile, {"asaproj.json": {"startFile": path}})
    with pytest.raises(ProjectFileError, match=r"startFile: .* lies outside of the project's folder"):
        read_project(hostile)


@pytest.mark.parametrize("path", OUTSIDE)
def test_a_local_input_cannot_read_files_outside_of_the_projects_folder(hostile: Path, path: str) -> None:
    path = path.replace("{absolute}", str(hostile.parent / "secret.csv"))
    mock = {"InputAlias": "i", "FilePath": path, "ScriptType": "InputMock"}
    written(hostile, {"asaproj.json": {"startFile": "a.asaql"}, "Inputs/Local_i.json": mock})
    project = read_project(hostile)
    with pytest.raises(ProjectFileError, match=r"Local_i\.json: FilePath: .* lies outside of the project's folder"):
        project_binding("i", project)


@pytest.mark.parametrize("path", ["l*k/*.csv", "n*w"])
def test_a_pattern_of_a_local_input_does_not_follow_links_out(hostile: Path, path: str) -> None:
    (hostile / "Inputs" / "now").symlink_to(hostile.parent / "secret.csv")
    mock = {"InputAlias": "i", "FilePath": path, "ScriptType": "InputMock"}
    written(hostile, {"asaproj.json": {"startFile": "a.asaql"}, "Inputs/Local_i.json": mock})
    with pytest.raises(ProjectFileError, match="lies outside of the project's folder"):
        project_binding("i", read_project(hostile))


def test_a_tilde_of_a_local_input_is_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no home folder, even where the project is the present folder."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "secret.csv").write_text("password\nxyzzy\n", "utf-8")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    mock = {"InputAlias": "i", "FilePath": "~/secret.csv", "ScriptType": "InputMock"}
    listed = {"startFile": "a.asaql", "configurations": [{"filePath": "i.json", "subType": "InputMock"}]}
    monkeypatch.chdir(written(tmp_path / "own", {"a.asaql": QUERY, "i.json": mock, "asaproj.json": listed}))
    with pytest.raises(ConfigurationError, match="there is no file"):
        project_binding("i", read_project(Path()))


def test_functions_are_files_of_the_project(hostile: Path) -> None:
    (hostile / "Functions").mkdir()
    (hostile / "Functions" / "f.js").symlink_to(hostile.parent / "secret.csv")
    written(hostile, {"asaproj.json": {"startFile": "a.asaql"}, "Functions/f.js.json": {"ScriptType": "JSFunction"}})
    with pytest.raises(ProjectFileError, match=r"f\.js lies outside of the project's folder"):
        read_project(hostile)
    (hostile / "Functions" / "f.js").unlink()
    written(hostile, {"Functions/g.json": {"ScriptType": "Python", "Function": "../../secret.py:main"}})
    with pytest.raises(ProjectFileError, match=r"secret\.py lies outside of the project's folder"):
        read_project(hostile)


def test_a_fraudstream_projects_query_may_name_the_projects_files(tmp_path: Path) -> None:
    mock = {"InputAlias": "i", "FilePath": "../../sample.csv", "ScriptType": "InputMock"}
    contents = {"a.asaql": QUERY, "asaproj.json": {"startFile": "a.asaql"}, "Inputs/Local_i.json": mock}
    written(tmp_path / "stream-analytics", contents)
    written(tmp_path, {"fraudstream.toml": "", "sample.csv": "x\n1\n"})
    binding = project_binding("i", read_project(tmp_path))
    assert binding is not None
    assert [file.name for file in binding.files] == ["sample.csv"]
