"""What a live query's names stand for: the project's hubs, the options before them, and what is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from fraudstream.asaql.live.binding import LiveBinding, LiveInput, LiveOutput, live_binding
from fraudstream.asaql.live.plans import live_plan
from fraudstream.asaql.project_files.folder import read_project
from fraudstream.core.errors import ConfigurationError

QUERY = "SELECT * INTO alarms FROM telemetry; SELECT a.x INTO local FROM telemetry a JOIN sites r ON a.k = r.k"
HUB = {"EventHubProperties": {"EventHubName": "hub-of-{}", "PartitionKey": "device"}, "DataSourceType": "Event Hub"}


def described(name: str, **entries: object) -> dict[str, object]:
    hub = {**HUB["EventHubProperties"], "EventHubName": f"hub-of-{name}"}  # type: ignore[dict-item]
    return {"Name": name, "DataSourceType": "Event Hub", "EventHubProperties": hub, **entries}


@pytest.fixture
def bind(tmp_path: Path) -> Callable[..., LiveBinding]:
    """The binding of the project, by the options that are given."""
    files: dict[str, dict[str, object]] = {
        "asaproj.json": {"startFile": "q.asaql"},
        "Inputs/telemetry.json": described("telemetry", ScriptType="Input"),
        "Inputs/sites.json": {
            "Name": "sites",
            "Type": "Reference data",
            "BlobReferenceProperties": {"PathPattern": "x", "DateFormat": "yyyy-MM-dd", "TimeFormat": None},
            "ScriptType": "Input",
        },
        "Outputs/alarms.json": described("alarms"),
        "Outputs/local.json": {"Name": "local", "DataSourceType": "SQL Database", "SQLDatabaseProperties": {}},
    }
    for name, content in files.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps(content))
    (tmp_path / "q.asaql").write_text(QUERY)
    (tmp_path / "sites.csv").write_text("k,x\n1,2\n")

    def bound(inputs: tuple[str, ...] = (), outputs: tuple[str, ...] = (), sites: str | None = None) -> LiveBinding:
        project = read_project(tmp_path)
        tables = {"sites": [sites or str(tmp_path / "sites.csv")]}
        return live_binding(project, live_plan(project), inputs=inputs, outputs=outputs, references=tables)

    return bound


def test_hubs_of_the_project_are_topics_and_other_outputs_are_shown(bind: Callable[..., LiveBinding]) -> None:
    binding = bind()
    assert binding.inputs == [LiveInput("telemetry", "hub-of-telemetry")]
    assert binding.outputs == [LiveOutput("alarms", "hub-of-alarms", "device"), LiveOutput("local", None, None)]


def test_options_come_before_the_projects_files(bind: Callable[..., LiveBinding]) -> None:
    binding = bind(("Telemetry=mine",), ("alarms=-", "LOCAL=there"))
    assert binding.topics == {"telemetry": "mine"}
    assert [output.topic for output in binding.outputs] == [None, "there"]
    assert bind(("mine",)).topics == {"telemetry": "mine"}


@pytest.mark.parametrize(
    ("inputs", "outputs", "message"),
    [
        (("other=x",), (), "--input other=x: the query has no other; it has telemetry"),
        (("telemetry=",), (), "NAME=TOPIC is wanted"),
        ((), ("alarms",), "NAME=TOPIC is wanted, such as --output alarms=my-topic"),
    ],
)
def test_an_option_for_nothing_is_refused(
    bind: Callable[..., LiveBinding], inputs: tuple[str, ...], outputs: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        bind(inputs, outputs)


def test_reference_data_are_a_file_or_a_dated_path(bind: Callable[..., LiveBinding]) -> None:
    (static,) = bind().references
    assert (static.format, static.delimiter) == ("csv", None)
    (dated,) = bind(sites="ref/{date}/{time}/sites.csv").references
    assert (dated.format, dated.date_format, dated.time_format) == ("csv", "yyyy-MM-dd", "HH")
    with pytest.raises(ConfigurationError, match=r"--reference sites: there is no file none\.csv"):
        bind(sites="none.csv")
