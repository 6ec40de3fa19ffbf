"""The files of a project's ``stream-analytics`` folder, in the layout of Microsoft's own tools."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fraudstream.asaql.template.query import query_text
from fraudstream.core.contract.field_rules import leaves
from fraudstream.core.contract.topics import ALERTS, REJECTED, SCORED, TRANSACTIONS
from fraudstream.core.project.outputs import PROJECT_FILE, QUERY_FOLDER
from fraudstream.core.project.project import Project

QUERY = "fraud.asaql"
_SOURCE = Path(__file__).with_name("source.js")
_SERIALIZATION = {"Type": "Json", "Encoding": "UTF8"}


def project_texts(project: Project) -> dict[str, str]:
    """The texts by their paths below the project's folder, made from its schema and roles alone.

    No namespace and no secret stands in them: ``query export`` makes parameters of these. Raises as
    :func:`~fraudstream.asaql.template.query.query_text` does.
    """
    key = _partition_column(project)
    outputs = {SCORED: key, ALERTS: key, REJECTED: "key"}
    parts = {
        "JobConfig.json": ("JobConfig", _JOB),
        f"Inputs/{TRANSACTIONS}.json": ("Input", _input(TRANSACTIONS)),
        **{f"Outputs/{name}.json": ("Output", _output(name, column)) for name, column in outputs.items()},
        "Functions/score.json": ("AzureMLFunction", _SCORE),
        "Functions/source.js.json": ("JSFunction", _function("source", "JSFunction", 3)),
    }
    listed = {
        "name": project.name,
        "startFile": QUERY,
        "configurations": [{"filePath": file, "subType": kind} for file, (kind, _) in parts.items()],
    }
    texts = {
        QUERY: query_text(project),
        PROJECT_FILE: _json(listed),
        **{file: _json(content) for file, (_, content) in parts.items()},
        "Functions/source.js": source_text(),
    }
    return {f"{QUERY_FOLDER}/{file}": text for file, text in texts.items()}


def source_text() -> str:
    """The script that says where an event came from."""
    return _SOURCE.read_text("utf-8")


def _partition_column(project: Project) -> str | None:
    """The output column with the record's key; None where it stands inside an object, which no output can name."""
    event = project.definition.event
    key = next(rule for rule in leaves(project.rules) if rule.name == (event.partition_key or event.id))
    return key.name if len(key.path) == 1 else None


_JOB: dict[str, Any] = {
    "DataLocale": "en-US",
    "OutputErrorPolicy": "Retry",
    "EventsLateArrivalMaxDelayInSeconds": 5,
    "EventsOutOfOrderMaxDelayInSeconds": 0,
    "EventsOutOfOrderPolicy": "Adjust",
    "StreamingUnits": 3,
    "CompatibilityLevel": "1.2",
    "UseSystemAssignedIdentity": True,
    "ContentStoragePolicy": "SystemAccount",
    "ScriptType": "JobConfig",
}


def _event_hub(name: str) -> dict[str, Any]:
    return {
        "ServiceBusNamespace": None,
        "EventHubName": name,
        "SharedAccessPolicyName": None,
        "SharedAccessPolicyKey": None,
        "AuthenticationMode": "Msi",
    }


def _input(name: str) -> dict[str, Any]:
    return {
        "Name": name,
        "Type": "Data Stream",
        "DataSourceType": "Event Hub",
        "EventHubProperties": _event_hub(name) | {"ConsumerGroupName": "$Default"},
        "DataSourceCredentialDomain": None,
        "Serialization": _SERIALIZATION,
        "PartitionKey": None,
        "CompressionType": "None",
        "ScriptType": "Input",
    }


def _output(name: str, partition_column: str | None) -> dict[str, Any]:
    return {
        "Name": name,
        "DataSourceType": "Event Hub",
        "EventHubProperties": _event_hub(name) | {"PartitionKey": partition_column},
        "DataSourceCredentialDomain": None,
        "Serialization": _SERIALIZATION | {"Format": "LineSeparated"},
        "ScriptType": "Output",
    }


def _function(name: str, script_type: str, arguments: int, kind: str = "any") -> dict[str, Any]:
    return {
        "Name": name,
        "Type": "Scalar",
        "ScriptType": script_type,
        "FunctionInputs": [{"DataType": kind, "IsConfigurationParameter": None} for _ in range(arguments)],
        "OutputType": kind,
    }


_SCORE: dict[str, Any] = _function("score", "AzureMLFunction", 1, "record") | {
    "AzureMLProperties": {"Endpoint": None, "Key": None, "BatchSize": 1000, "NumberOfParallelRequests": 1}
}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
