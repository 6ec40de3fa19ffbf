"""A project's job as a Bicep module."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pycep import BicepParser

from fraudstream.asaql.compiling import plan_of
from fraudstream.asaql.export.job import MODULE_FILE, QUERY_FILE, Exported, exported
from fraudstream.asaql.project_files.folder import read_project

pytestmark = pytest.mark.timeless

PROJECTS = Path(__file__).parents[3] / "asaql" / "projects"


def export(name: str) -> Exported:
    project = read_project(PROJECTS / name)
    return exported(project, plan_of(project))


def parsed(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The module's parameters and the job's properties, as a parser of Bicep has them."""
    module: Any = BicepParser().parse(text=export(name).files[MODULE_FILE])
    return module["parameters"], module["resources"]["job"]["config"]["properties"]


def by_name(resources: list[dict[str, Any]]) -> dict[str, Any]:
    return {resource["name"]: resource["properties"] for resource in resources}


def test_services_of_the_project_are_the_jobs() -> None:
    parameters, job = parsed("cold_chain")
    assert {"telemetrySharedAccessPolicyKey", "sitesAccountKey", "minutesPassword"} <= set(parameters)
    inputs = by_name(job["inputs"])
    assert inputs["telemetry"]["type"] == "Stream"
    assert inputs["telemetry"]["datasource"]["type"] == "Microsoft.Devices/IotHubs"
    assert inputs["sites"]["type"] == "Reference"
    assert inputs["sites"]["serialization"]["properties"]["fieldDelimiter"] == ";"
    outputs = by_name(job["outputs"])
    assert outputs["alarms"]["datasource"]["properties"]["partitionKey"] == "device"
    assert "serialization" not in outputs["minutes"]
    assert job["eventsLateArrivalMaxDelayInSeconds"] == 5
    assert export("cold_chain").notes == ()


def test_the_query_is_written_as_it_is() -> None:
    for name in ("cold_chain", "toll", "orders"):
        files = export(name).files
        assert files[QUERY_FILE] == read_project(PROJECTS / name).text


def test_scripts_are_files_of_their_own() -> None:
    files = export("toll").files
    assert "plate.slice(0, 3)" in files["functions/plateState.js"]
    assert "loadTextContent('functions/plateState.js')" in files[MODULE_FILE]


def test_what_no_project_describes_becomes_event_hubs_and_is_told() -> None:
    parameters, job = parsed("orders")
    assert "eventHubsNamespace" in parameters
    assert by_name(job["inputs"])["orders"]["datasource"]["properties"]["eventHubName"] == "orders"
    assert [note.partition(":")[0] for note in export("orders").notes] == ["the input orders", "the output late"]


def test_no_secret_of_a_file_gets_into_the_module(tmp_path: Path) -> None:
    (tmp_path / "Inputs").mkdir()
    (tmp_path / "q.asaql").write_text("SELECT a, udf.score(a) AS s INTO o FROM i", "utf-8")
    (tmp_path / "asaproj.json").write_text('{"name": "p"}', "utf-8")
    (tmp_path / "Inputs/i.json").write_text(
        '{"Name":"i","DataSourceType":"Event Hub","ScriptType":"Input","EventHubProperties":'
        '{"EventHubName":"h","SharedAccessPolicyKey":"b3BlbiBzZXNhbWU="}}',
        "utf-8",
    )
    project = read_project(tmp_path)
    job = exported(project, plan_of(project))
    assert "b3BlbiBzZXNhbWU=" not in job.files[MODULE_FILE]
    assert "Microsoft.MachineLearningServices" in job.files[MODULE_FILE]
    assert any(note.startswith("udf.score: the project has no such function") for note in job.notes)


def test_hubs_whose_files_name_no_namespace_are_in_the_one_that_is_given(tmp_path: Path) -> None:
    (tmp_path / "Inputs").mkdir()
    (tmp_path / "Outputs").mkdir()
    (tmp_path / "q.asaql").write_text("SELECT a, udf.my_score(a) AS s INTO o FROM i; SELECT a INTO p FROM i", "utf-8")
    (tmp_path / "asaproj.json").write_text('{"name": "p"}', "utf-8")
    hub = '{"EventHubName":"h","ServiceBusNamespace":null,"AuthenticationMode":"Msi"}'
    described = f'"DataSourceType":"Event Hub","EventHubProperties":{hub}'
    (tmp_path / "Inputs/i.json").write_text(f'{{"ScriptType":"Input","PartitionKey":"a",{described}}}', "utf-8")
    (tmp_path / "Outputs/o.json").write_text(f"{{{described}}}", "utf-8")
    (tmp_path / "Outputs/p.json").write_text(f"{{{described.replace('null', chr(34) + 'other' + chr(34))}}}", "utf-8")
    project = read_project(tmp_path)
    job = exported(project, plan_of(project))
    # Of another namespace the deployment knows nothing.
    assert (job.hubs, job.endpoints, job.keys) == (("h",), ("myScoreEndpoint",), ("myScoreKey",))
    module: Any = BicepParser().parse(text=job.files[MODULE_FILE])
    assert {"eventHubsNamespace", "myScoreEndpoint", "myScoreKey"} <= set(module["parameters"])
    assert set(module["resources"]) == {"job", "eventHubs", "sender", "receiver"}
    (source,) = module["resources"]["job"]["config"]["properties"]["inputs"]
    assert source["properties"]["partitionKey"] == "a"
