"""The entries of a project's files."""

from __future__ import annotations

from typing import Any

import pytest

from fraudstream.asaql.project_files.models import (
    FunctionFile,
    InputFile,
    JobConfig,
    OutputFile,
    ProjectFile,
    TestConfig,
    new_job,
)
from fraudstream.core.project.json_text import ProjectFileError

pytestmark = pytest.mark.timeless

LAYOUTS: list[dict[str, Any]] = [
    {
        "InputAlias": "a",
        "Type": "Data Stream",
        "Format": "Csv",
        "Delimiter": ";",
        "FilePath": "x",
        "ScriptType": "InputMock",
    },
    {
        "Name": "a",
        "Type": "Data Stream",
        "DataSourceType": "Local Input",
        "Serialization": {"Type": "CSV", "Encoding": "UTF8", "FieldDelimiter": ";"},
        "FilePath": "x",
        "ScriptType": "InputMock",
    },
]


@pytest.mark.parametrize("entries", LAYOUTS)
def test_both_layouts_of_local_inputs_say_the_same(entries: dict[str, Any]) -> None:
    read = InputFile.of(entries, "Local_a.json")
    assert (read.alias, read.kind, read.format, read.delimiter, read.file_path, read.is_mock) == (
        "a",
        "stream",
        "csv",
        ";",
        "x",
        True,
    )


@pytest.mark.parametrize("type", ["Reference Data", "Reference data", "reference"])
def test_reference_data_are_known_in_any_case(type: str) -> None:
    assert InputFile.of({"Type": type}, "x.json").kind == "reference"


def test_keys_are_found_in_any_case_and_null_means_the_default() -> None:
    job = JobConfig.of({"compatibilitylevel": None, "EVENTSLATEARRIVALMAXDELAYINSECONDS": 20, "Tags": None}, "j.json")
    assert (job.level, job.late_seconds, job.further) == ("1.2", 20, {"Tags": None})


def test_words_are_taken_in_any_case_and_numbers_as_texts() -> None:
    job = JobConfig.of(
        {"OutputErrorPolicy": "stop", "EventsOutOfOrderPolicy": "DROP", "CompatibilityLevel": 1.1, "StreamingUnits": 6},
        "j.json",
    )
    assert (job.output_error_policy, job.disorder_policy, job.level, job.streaming_units) == (
        "Stop",
        "Drop",
        "1.1",
        "6",
    )


def test_a_job_without_the_entry_waits_for_late_events_and_a_new_job_for_five_seconds() -> None:
    assert JobConfig.of({}, "j.json").late_seconds == -1
    assert new_job().late_seconds == 5


@pytest.mark.parametrize(
    ("model", "value", "message"),
    [
        (JobConfig, {"EventsLateArrivalMaxDelayInSeconds": 2_000_000}, "EventsLateArrivalMaxDelayInSeconds: .*1814399"),
        (JobConfig, {"CompatibilityLevel": "2.0"}, r"CompatibilityLevel: .*\(it is '2.0'\)"),
        (JobConfig, {"EventsOutOfOrderPolicy": "Keep"}, "EventsOutOfOrderPolicy"),
        (JobConfig, [], "a JSON object is wanted, and this is an array"),
        (ProjectFile, {"configurations": [{"subType": "Input"}]}, "configurations.0.filePath: Field required"),
        (ProjectFile, {"configurations": {"filePath": "x"}}, "configurations"),
        (
            TestConfig,
            {"TestCases": [{"Name": "a", "ExpectedOutputs": [{"FilePath": "x"}]}]},
            "TestCases.0.*OutputAlias",
        ),
        (TestConfig, {"TestCases": [{"Name": ""}]}, "TestCases.0.Name"),
        (FunctionFile, {"Type": "Table"}, "Type: .*Aggregate"),
        (OutputFile, {"Name": 7}, r"Name: .*\(it is 7\)"),
    ],
)
def test_errors_name_the_file_and_the_key(model: Any, value: Any, message: str) -> None:
    with pytest.raises(ProjectFileError, match=f"^some.json: {message}"):
        model.of(value, "some.json")


def test_keys_inside_entries_are_found_in_any_case() -> None:
    read = TestConfig.of(
        {"testcases": [{"name": "a", "expectedoutputs": [{"outputalias": "o", "filepath": "x", "required": "false"}]}]},
        "t.json",
    )
    assert [(output.alias, output.file_path, output.required) for output in read.cases[0].expected] == [
        ("o", "x", False)
    ]


def test_further_entries_are_kept() -> None:
    read = InputFile.of({"Name": "a", "EventHubProperties": {"EventHubName": "h"}}, "x.json")
    assert read.further == {"EventHubProperties": {"EventHubName": "h"}}
