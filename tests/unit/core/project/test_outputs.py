"""The topics that a project's outputs name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.outputs import output_topics
from fraudstream.core.project.project import bundled

pytestmark = pytest.mark.timeless


def write(folder: Path, name: str, content: dict[str, Any] | str) -> None:
    file = folder / "stream-analytics" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")


def test_the_bundled_projects_outputs_are_topics_of_the_table() -> None:
    assert bundled("payments").outputs == ("scored", "alerts", "rejected")


def test_a_project_without_a_query_has_none(tmp_path: Path) -> None:
    assert output_topics(tmp_path) == ()


def test_an_output_goes_to_its_event_hub_else_to_a_topic_of_its_name(tmp_path: Path) -> None:
    write(tmp_path, "Outputs/a.json", {"Name": "a", "EventHubProperties": {"EventHubName": "hub-a"}})
    write(tmp_path, "Outputs/b.json", {"Name": "b", "DataSourceType": "SQL Database"})
    write(tmp_path, "Outputs/c.json", {"eventhubproperties": {"eventhubname": "hub-a"}})
    write(tmp_path, "Outputs/d.json", {"Name": "d", "EventHubName": "hub-d"})
    write(tmp_path, "Outputs/e.json", {"EventHubName": "old", "OutputEventHubProperties": {"EventHubName": " hub-e "}})
    assert output_topics(tmp_path) == ("hub-a", "b", "hub-d", "hub-e")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_files_are_read_in_the_encodings_that_windows_writes(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "stream-analytics" / "Outputs" / "a.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"Name": "a", "EventHubName": "hub-a", /* of May */}\r\n', encoding)
    assert output_topics(tmp_path) == ("hub-a",)


def test_the_projects_own_list_decides_which_files_are_outputs(tmp_path: Path) -> None:
    listed = [{"filePath": "Outputs\\b.json", "subType": "Output"}, {"filePath": "Inputs/a.json", "subType": "Input"}]
    write(tmp_path, "asaproj.json", '\ufeff{"Configurations": ' + json.dumps(listed) + ", // the rest is old\n}")
    write(tmp_path, "Outputs/a.json", {"Name": "a"})
    write(tmp_path, "Outputs/b.json", {})
    assert output_topics(tmp_path) == ("b",)


@pytest.mark.parametrize("name", ["", "two words", "_begins", "ends-", "sl/ash", "ü", "x" * 250])
def test_a_name_that_no_event_hub_has_is_refused_with_the_file(tmp_path: Path, name: str) -> None:
    write(tmp_path, "Outputs/o.json", {"Name": "o", "EventHubProperties": {"EventHubName": name or " "}})
    with pytest.raises(ConfigurationError, match=r"o\.json: the output goes to .*no event hub is called"):
        output_topics(tmp_path)


def test_names_that_differ_in_case_alone_are_one_event_hub(tmp_path: Path) -> None:
    write(tmp_path, "Outputs/a.json", {"Name": "Minutes"})
    write(tmp_path, "Outputs/b.json", {"Name": "minutes"})
    with pytest.raises(ConfigurationError, match=r"b\.json: the output goes to minutes, and .*a\.json to Minutes"):
        output_topics(tmp_path)


@pytest.mark.parametrize("text", ["{", "[]", '{"Name": }', "[" * 100_000])
def test_a_file_that_is_no_json_object_is_named(tmp_path: Path, text: str) -> None:
    write(tmp_path, "Outputs/a.json", text)
    with pytest.raises(ConfigurationError, match=r"a\.json"):
        output_topics(tmp_path)
