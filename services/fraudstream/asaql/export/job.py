"""The whole job: its query, inputs, outputs and functions in one module, with the files that it reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fraudstream.asaql.compiling import called_functions
from fraudstream.asaql.export.bicep import Parameters, Raw, Value, identifier, value
from fraudstream.asaql.export.sources import EVENT_HUBS, input_resource, output_resource
from fraudstream.asaql.plan.nodes import Plan
from fraudstream.asaql.project_files.folder import QueryProject
from fraudstream.core.project.json_text import read_text

QUERY_FILE = "query.asaql"
MODULE_FILE = "job.bicep"
_API = "2021-10-01-preview"
# Sizes of the present generation of streaming units: a third, two thirds, and whole ones of ten.
_UNITS = {"1/3": 3, "2/3": 7}


# Azure's own roles: Azure Event Hubs Data Sender and Data Receiver.
_ROLES = {"sender": "2b629674-e913-4c01-ae53-ef4638d8f975", "receiver": "a638d3c7-ab3a-418d-83e6-5f17a39d4fde"}
_BATCH_ROWS, _PARALLEL_REQUESTS = 1000, 1


@dataclass(frozen=True, slots=True)
class Exported:
    """Files by their paths below the folder of the export, and what to look at before a deployment.

    ``hubs``: the event hubs that the job writes to in the namespace that is a parameter. ``endpoints``, ``keys``: the
    parameters with the addresses and keys of the functions that are Azure ML endpoints.
    """

    files: Mapping[str, str]
    notes: tuple[str, ...]
    hubs: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()


def exported(project: QueryProject, plan: Plan) -> Exported:
    """A project's job as files for Azure. Raises :class:`ProjectFileError` for a script that cannot be read."""
    parameters = Parameters()
    notes: list[str] = []
    files = {QUERY_FILE: project.text}
    inputs = []
    for source in plan.inputs:
        place = project.live_input(source.name)
        resource, note = input_resource(source.name, place.entries if place else None, parameters)
        inputs.append(resource)
        notes += [note] if note else []
    outputs = []
    described = {place.alias.casefold(): place for place in project.outputs}
    for name in dict.fromkeys(output.name for output in plan.outputs):
        known = described.get(name.casefold())
        resource, note = output_resource(name, known.entries if known else None, parameters)
        outputs.append(resource)
        notes += [note] if note else []
    functions, models = [], []
    for kind, name in sorted({(called.kind, called.name) for called in called_functions(plan.to_json())}):
        resource, script = _function(kind, name, project, parameters)
        functions.append(resource)
        if script is not None:
            files[f"functions/{name}.js"] = script
            continue
        models.append(name)
        called = project.function(name)
        if called is None or called.python is not None:
            lack = "the project has no such function" if called is None else "Azure has no functions in Python"
            notes.append(f"{kind}.{name}: {lack}; an Azure ML endpoint is written")
    files[MODULE_FILE] = _module(project, parameters, inputs, outputs, functions)
    endpoints, keys = (tuple(identifier(f"{model} {what}") for model in models) for what in ("endpoint", "key"))
    return Exported(files, tuple(notes), tuple(_hubs(outputs)), endpoints, keys)


def _hubs(outputs: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for output in outputs:
        properties = output["properties"]["datasource"]["properties"]
        if isinstance(properties.get("serviceBusNamespace"), Raw) and "eventHubName" in properties:
            yield properties["eventHubName"]


def _function(
    kind: str, name: str, project: QueryProject, parameters: Parameters
) -> tuple[Mapping[str, Value], str | None]:
    place = project.function(name)
    script = None
    inputs: list[Value] = [{"dataType": "any"}]
    output = "any"
    if place is not None:
        inputs = [{"dataType": argument.data_type} for argument in place.entries.inputs] or inputs
        output = place.entries.output_type
    if place is not None and place.script is not None:
        script = read_text(place.script)
        binding: dict[str, Value] = {
            "type": "Microsoft.StreamAnalytics/JavascriptUdf",
            "properties": {"script": Raw(f"loadTextContent({value(f'functions/{name}.js')})")},
        }
    else:
        given = {} if place is None else {key.lower(): part for key, part in _model_entries(place.entries.further)}
        address = parameters.text(name, "endpoint", f"The address at which {kind}.{name} is scored.")
        binding = {
            "type": "Microsoft.MachineLearningServices",
            "properties": {
                "endpoint": address,
                "apiKey": parameters.secret(name, "key", f"The key of the endpoint of {kind}.{name}."),
                "batchSize": given.get("batchsize") or _BATCH_ROWS,
                "numberOfParallelRequests": given.get("numberofparallelrequests") or _PARALLEL_REQUESTS,
            },
        }
    properties: dict[str, Value] = {"inputs": inputs, "output": {"dataType": output}, "binding": binding}
    scalar = "Aggregate" if kind == "uda" else "Scalar"
    return {"name": name, "properties": {"type": scalar, "properties": properties}}, script


def _model_entries(further: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The entries of a function's Azure ML properties."""
    for name, part in further.items():
        if name.lower().endswith("properties") and isinstance(part, Mapping):
            yield from part.items()


def _module(
    project: QueryProject,
    parameters: Parameters,
    inputs: list[Mapping[str, Value]],
    outputs: list[Mapping[str, Value]],
    functions: list[Mapping[str, Value]],
) -> str:
    job = project.job
    units, is_new = _units(job.streaming_units)
    properties: dict[str, Value] = {
        "sku": {"name": "StandardV2" if is_new else "Standard"},
        "compatibilityLevel": job.level,
        "dataLocale": job.data_locale,
        # The provider's words are Stop and Drop; the project's files call the first one Retry, too.
        "outputErrorPolicy": "Drop" if job.output_error_policy == "Drop" else "Stop",
        "eventsOutOfOrderPolicy": job.disorder_policy,
        "eventsOutOfOrderMaxDelayInSeconds": job.disorder_seconds,
        "eventsLateArrivalMaxDelayInSeconds": job.late_seconds,
        "transformation": {
            "name": identifier(project.name),
            "properties": {"streamingUnits": units, "query": Raw(f"loadTextContent({value(QUERY_FILE)})")},
        },
        "inputs": inputs,
        "outputs": outputs,
    }
    if functions:
        properties["functions"] = functions
    resource: Value = {
        "name": Raw("name"),
        "location": Raw("location"),
        "identity": {"type": "SystemAssigned"},
        "properties": properties,
    }
    head = [f"// The Stream Analytics job of {' '.join(project.name.split())}.", *parameters.lines(), ""]
    body = f"resource job 'Microsoft.StreamAnalytics/streamingjobs@{_API}' = {value(resource)}"
    roles = [line for role in _roles(parameters) for line in ("", role)]
    return "\n".join([*head, body, *roles, "", "output principal string = job.identity.principalId", ""])


def _roles(parameters: Parameters) -> Iterator[str]:
    """What lets the job's own identity read and write the hubs of the namespace that is a parameter."""
    if EVENT_HUBS not in parameters.plain:
        return
    yield f"resource eventHubs 'Microsoft.EventHub/namespaces@2024-01-01' existing = {value({'name': Raw(EVENT_HUBS)})}"
    for role, id in _ROLES.items():
        definition = f"subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{id}')"
        assignment: Value = {
            "name": Raw(f"guid(eventHubs.id, job.id, '{id}')"),
            "scope": Raw("eventHubs"),
            "properties": {
                "principalId": Raw("job.identity.principalId"),
                "principalType": "ServicePrincipal",
                "roleDefinitionId": Raw(definition),
            },
        }
        yield f"resource {role} 'Microsoft.Authorization/roleAssignments@2022-04-01' = {value(assignment)}"


def _units(written: str) -> tuple[int, bool]:
    """The number of streaming units as the provider has it, and whether they are of the present generation."""
    if written in _UNITS:
        return _UNITS[written], True
    count = int(written) if written.isdecimal() else 1
    return count, count in _UNITS.values() or (count > 0 and count % 10 == 0)
