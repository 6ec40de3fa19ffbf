"""Inputs and outputs as Azure's resource provider names them.

Microsoft's project files and its resource provider have the same properties in two spellings: `EventHubName` in the
files is `eventHubName` there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fraudstream.asaql.export.bicep import Parameters, Value
from fraudstream.asaql.project_files.models import REFERENCE, InputFile, OutputFile, Serialization

# The kind as the files have it, in small letters and without blanks, and the provider's type.
_TABLE = """
eventhub Microsoft.EventHub/EventHub
iothub Microsoft.Devices/IotHubs
blobstorage Microsoft.Storage/Blob
blobstorage/adlsgen2 Microsoft.Storage/Blob
datalakestoragegen2 Microsoft.Storage/Blob
datalakestoragegen1 Microsoft.DataLake/Accounts
sqldatabase Microsoft.Sql/Server/Database
azuresqldatabase Microsoft.Sql/Server/Database
sqldatawarehouse Microsoft.Sql/Server/DataWarehouse
azuresynapseanalytics Microsoft.Sql/Server/DataWarehouse
tablestorage Microsoft.Storage/Table
cosmosdb Microsoft.Storage/DocumentDB
documentdb Microsoft.Storage/DocumentDB
servicebusqueue Microsoft.ServiceBus/Queue
servicebustopic Microsoft.ServiceBus/Topic
powerbi PowerBI
azurefunction Microsoft.AzureFunction
azuredataexplorer Microsoft.Kusto/clusters/databases
postgresql Microsoft.DBForPostgreSQL/servers/databases
"""
_TYPES: Mapping[str, str] = dict(line.split() for line in _TABLE.splitlines() if line)
_PROPERTIES = "properties"
# The parameter that stands for the namespace of all hubs whose files name none.
EVENT_HUBS = "eventHubsNamespace"
_SECRETS = ("key", "password", "token")
# What Azure's own identity stands for.
_IDENTITY = ("msi", "usertoken")
_UNSERIALIZED = (
    "Microsoft.Sql/",
    "Microsoft.Storage/Table",
    "Microsoft.Storage/DocumentDB",
    "PowerBI",
    "Microsoft.DBFor",
)


def input_resource(alias: str, of: InputFile | None, parameters: Parameters) -> tuple[Mapping[str, Value], str]:
    """An input, and what to say of it: empty if its service is described in the project."""
    if of is None or (known := _source(alias, of.source, of.further, parameters)) is None:
        described = "nothing" if of is None else of.source or "no kind of service"
        note = f"the input {alias}: the project says {described} of its service; an event hub of this name is written"
        source, format = _event_hub(alias, parameters), Serialization(Type="Json")
        is_reference = of is not None and of.kind == REFERENCE
    else:
        note, source, format, is_reference = "", known, of.serialization, of.kind == REFERENCE
    properties: dict[str, Value] = {"type": "Reference" if is_reference else "Stream", "datasource": source}
    if (serialized := _serialization(format, is_output=False)) is not None:
        properties["serialization"] = serialized
    if of is not None and (key := of.further.get("PartitionKey")):
        properties["partitionKey"] = str(key)
    if of is not None and of.compression and of.compression.lower() != "none":
        properties["compression"] = {"type": of.compression}
    return {"name": alias, "properties": properties}, note


def output_resource(alias: str, of: OutputFile | None, parameters: Parameters) -> tuple[Mapping[str, Value], str]:
    """An output, and what to say of it."""
    note = ""
    source = None if of is None else _source(alias, of.source, of.further, parameters)
    if of is None or source is None:
        described = "nothing" if of is None else of.source or "no kind of service"
        note = f"the output {alias}: the project says {described} of its service; an event hub of this name is written"
        source = _event_hub(alias, parameters)
    properties: dict[str, Value] = {"datasource": source}
    if not str(source["type"]).startswith(_UNSERIALIZED):
        format = of.serialization if of is not None and of.serialization.type else Serialization(Type="Json")
        properties["serialization"] = _serialization(format, is_output=True) or {}
    if of is not None:
        windows = {"MinimumRows": "sizeWindow", "MaximumTime": "timeWindow"}
        properties |= {name: _value(of.further[key]) for key, name in windows.items() if of.further.get(key)}
    return {"name": alias, "properties": properties}, note


def _source(alias: str, kind: str, further: Mapping[str, Any], parameters: Parameters) -> Mapping[str, Value] | None:
    """The service of an input or output; None where its kind is not known."""
    type = _TYPES.get(kind.lower().replace(" ", ""))
    if type is None:
        return None
    written: dict[str, Any] = {}
    for name, part in further.items():
        if name.lower().endswith(_PROPERTIES) and isinstance(part, Mapping):
            written |= part
    mode = str(written.get("AuthenticationMode") or "ConnectionString")
    properties = {
        _spelling(name): known
        for name, part in written.items()
        if (known := _property(alias, name, part, mode.lower() in _IDENTITY, parameters)) is not None
    }
    if type == _TYPES["eventhub"] and not properties.get("serviceBusNamespace"):
        properties["serviceBusNamespace"] = _namespace(parameters)
    return {"type": type, "properties": properties}


def _property(alias: str, name: str, part: Any, by_identity: bool, parameters: Parameters) -> Value | None:
    if name.lower().endswith(_SECRETS) and name.lower() not in ("partitionkey", "rowkey"):
        # Whatever the file holds: a secret has no place in a template.
        return None if by_identity else parameters.secret(alias, name, f"{name} of {alias}.")
    if isinstance(part, list) and all(isinstance(entry, Mapping) for entry in part):
        return [
            {
                _spelling(key): known
                for key, inner in entry.items()
                if (known := _property(alias, key, inner, by_identity, parameters)) is not None
            }
            for entry in part
        ]
    return None if part is None else _value(part)


def _value(part: Any) -> Value:
    match part:
        case str() | bool() | int():
            return part
        case Mapping():
            return {_spelling(name): _value(inner) for name, inner in part.items() if inner is not None}
        case list():
            return [_value(inner) for inner in part]
        case _:
            return str(part)


def _spelling(name: str) -> str:
    return name[:1].lower() + name[1:]


def _event_hub(alias: str, parameters: Parameters) -> Mapping[str, Value]:
    properties = {"serviceBusNamespace": _namespace(parameters), "eventHubName": alias, "authenticationMode": "Msi"}
    return {"type": _TYPES["eventhub"], "properties": properties}


def _namespace(parameters: Parameters) -> Value:
    return parameters.text("event hubs", "namespace", "The Event Hubs namespace of the inputs and outputs.")


def _serialization(of: Serialization, *, is_output: bool) -> Mapping[str, Value] | None:
    if not of.type:
        return None
    properties: dict[str, Value] = {}
    if of.type.lower() in ("json", "csv"):
        properties["encoding"] = of.encoding or "UTF8"
    if of.type.lower() == "csv":
        properties["fieldDelimiter"] = of.field_delimiter or of.delimiter or ","
    if of.type.lower() == "json" and is_output:
        properties["format"] = str(of.further.get("Format") or "LineSeparated")
    return {"type": of.type, "properties": properties}
