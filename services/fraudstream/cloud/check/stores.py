"""Checks of Cosmos DB, Azure ML, the registry, and the project's own rules."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fraudstream.cloud.check.subject import Subject
from fraudstream.cloud.rules.azureml import MOST_REQUEST_TIMEOUT_MS, NAME, most_in_flight
from fraudstream.cloud.rules.documents import DOCUMENT_BYTES, MOST_INDEXES, document_refusal, update_refusal
from fraudstream.cloud.rules.mongo_support import refusal
from fraudstream.cloud.rules.quotas import IDLE_SECONDS
from fraudstream.cloud.rules.rule import Finding
from fraudstream.cloud.rules.table import rules
from fraudstream.core.configuration.addresses import malformed_addresses
from fraudstream.core.configuration.connection_strings import (
    DOCUMENTDB_DOMAIN,
    cosmos_account,
    cosmos_mistakes,
    uri_options,
)
from fraudstream.core.configuration.malformed import malformed
from fraudstream.core.configuration.required import missing
from fraudstream.core.contract.topics import TOPICS
from fraudstream.core.documents.client import COLLECTIONS
from fraudstream.core.documents.throttling import MOST_OPERATIONS
from fraudstream.core.output.redaction import mask_uri

_MISTAKE_RULES = {"cosmos-port": "CO003", "cosmos-host": "CO003", "account": "CO005"}
# The store job adds times and the source, and BSON takes more bytes than the event's JSON.
_DOCUMENT_FACTOR = 1.5


def findings(subject: Subject) -> Iterator[Finding]:
    """Everything about documents, models and the project."""
    yield from _values(subject)
    if subject.addressed:
        yield from _address(subject)
        yield from _secrets(subject)
        yield from _scoring_address(subject)
    yield from _documents(subject)
    yield from _commands(subject)
    yield from _endpoint(subject)
    yield from _definitions(subject)


def _address(subject: Subject) -> Iterator[Finding]:
    known, where = rules(), "FRAUDSTREAM_MONGO_URI"
    uri = subject.settings.mongo_uri.get_secret_value()
    if not uri:
        return
    for mistake in cosmos_mistakes(uri):
        rule = _MISTAKE_RULES.get(mistake.kind, "CO004")
        yield Finding(known[rule], where, f"{mistake.problem}. {mistake.fix}")
    options = uri_options(uri)
    if options.get("retrywrites", "false").lower() != "false":
        yield Finding(known["CO001"], where, f"retrywrites={options['retrywrites']}")
    encrypted = uri.startswith("mongodb+srv") or "true" in (options.get("ssl"), options.get("tls"))
    if not encrypted:
        yield Finding(known["CO002"], where, "neither ssl=true nor tls=true")
    idle = options.get("maxidletimems")
    if idle is None or not idle.isdecimal() or not 0 < int(idle) < IDLE_SECONDS * 1000:
        # This project's clients have a default; other clients of this address have none.
        yield Finding(known["CO006"], where, "maxIdleTimeMS is missing" if idle is None else f"maxIdleTimeMS={idle}")
    # The message repeats neither the user nor the options: they may hold the key by mistake.
    account = cosmos_account(uri)
    expected = f"@{account or uri.partition('://')[2].partition(':')[0]}@"
    if DOCUMENTDB_DOMAIN not in uri and options.get("appname") != expected:
        problem = "is another one" if "appname" in options else "is missing"
        shown = f"@{account}@" if account else "the account's name between two @"
        yield Finding(known["CO007"], where, f"appName {problem}: it has to be {shown}")


def _values(subject: Subject) -> Iterator[Finding]:
    """Values that a start refuses, and variables and lines of `.env` that nothing reads."""
    values = {name: getattr(subject.settings, name) for name in type(subject.settings).model_fields}
    broken = {*subject.malformed, *malformed(values), *malformed_addresses(values)}
    for value in broken:
        yield Finding(rules()["PR005"], value.variable, value.problem)
    for unread in subject.unread:
        yield Finding(rules()["PR006"], unread.where, unread.text)


def _secrets(subject: Subject) -> Iterator[Finding]:
    for secret in missing(subject.settings):
        yield Finding(rules()["PR001"], secret.variable, f"{secret.problem} (needed for {secret.needed_by})")


def _scoring_address(subject: Subject) -> Iterator[Finding]:
    settings, known = subject.settings, rules()
    if settings.scoring == "remote" and settings.scoring_url and not settings.scoring_url.startswith("https://"):
        yield Finding(known["ML005"], "FRAUDSTREAM_SCORING_URL", f"is {mask_uri(settings.scoring_url)}")
    if settings.mlflow_tracking_uri.startswith("azureml://") and not _has_plugin():
        text = "the address is azureml://, and azureml-mlflow is not installed"
        yield Finding(known["RG005"], "FRAUDSTREAM_MLFLOW_TRACKING_URI", text)


def _has_plugin() -> bool:
    try:
        return bool(version("azureml-mlflow"))
    except PackageNotFoundError:
        return False


def _documents(subject: Subject) -> Iterator[Finding]:
    known, settings = rules(), subject.settings
    largest = subject.largest_event_bytes
    if largest * _DOCUMENT_FACTOR > DOCUMENT_BYTES:
        yield Finding(
            known["CO016"], "core.contract.topics.MAX_EVENT_BYTES", f"documents of {largest:,} bytes and more"
        )
    if settings.mongo_max_request_bytes > DOCUMENT_BYTES:
        text = f"is {settings.mongo_max_request_bytes:,}"
        yield Finding(known["CO017"], "FRAUDSTREAM_MONGO_MAX_REQUEST_BYTES", text)
    for collection in subject.definitions["collections"]:
        where = f"azure/definitions.json, {collection['name']}"
        if len(collection["indexes"]) > MOST_INDEXES:
            yield Finding(known["CO031"], where, f"{len(collection['indexes'])} indexes")
        index: dict[str, Any]
        for defined in collection["indexes"]:
            index = {"key": dict.fromkeys(defined["key"]["keys"], 1), **defined.get("options", {})}
            refused = refusal({"createIndexes": collection["name"], "indexes": [index]}, None)
            if refused is not None:
                yield Finding(known[refused.rule], where, refused.message)


def _commands(subject: Subject) -> Iterator[Finding]:
    """The commands that the test suite recorded, against the service's operators and indexes."""
    known = rules()
    indexes = {table.name: [list(keys) for keys in table.indexes] for table in COLLECTIONS}
    if not subject.commands:
        yield Finding(known["PR004"], "azure/mongo-commands.json", "no commands are recorded")
    for recorded in subject.commands:
        command = recorded["command"]
        collection = str(next(iter(command.values()), ""))
        where = f"{recorded['from']}: {next(iter(command), '')} {collection}"
        refused = refusal(command, indexes.get(collection))
        if refused is not None:
            yield Finding(known[refused.rule], where, refused.message)
        operations = recorded.get("operations", 0)
        if operations > MOST_OPERATIONS or (operations > 1 and command.get("ordered", True)):
            yield Finding(known["CO027"], where, f"{operations} operations, ordered: {command.get('ordered', True)}")
        for unique in (created for created in command.get("indexes") or () if created.get("unique")):
            shard_key = next((table.shard_key for table in COLLECTIONS if table.name == collection), None)
            if shard_key and next(iter(unique["key"])) != shard_key:
                yield Finding(known["CO020"], where, f"a unique index does not start with {shard_key}")
        if "startTransaction" in command or "txnNumber" in command:
            rule = "CO024" if command.get("autocommit") is False else "CO001"
            yield Finding(known[rule], where, "the command is part of a transaction or a retryable write")
        yield from _writes(collection, command, where)


def _writes(collection: str, command: dict[str, Any], where: str) -> Iterator[Finding]:
    known = rules()
    shard_key = next((table.shard_key for table in COLLECTIONS if table.name == collection), "_id")
    for update in command.get("updates") or ():
        content = update.get("u")
        if (refused := update_refusal(content, shard_key)) is not None:
            yield Finding(known[refused.rule], where, refused.message)
        if isinstance(content, dict) and shard_key in (content.get("$set") or {}):
            yield Finding(known["CO023"], where, f"an update sets {shard_key}")
    for document in command.get("documents") or ():
        if (refused := document_refusal(document, shard_key)) is not None:
            yield Finding(known[refused.rule], where, refused.message)
        if shard_key not in document:
            yield Finding(known["CO022"], where, f"a document has no {shard_key}")


def _endpoint(subject: Subject) -> Iterator[Finding]:
    known, deployment, settings = rules(), subject.deployment, subject.settings
    for name in (str(subject.endpoint["name"]), str(deployment["name"])):
        if not NAME.fullmatch(name):
            yield Finding(known["ML007"], "azure/azureml", f"the name {name!r}")
    if subject.endpoint.get("auth_mode") not in ("key", "aml_token", "aad_token"):
        yield Finding(known["ML002"], "azure/azureml/endpoint.yml", f"auth_mode is {subject.endpoint.get('auth_mode')}")
    request = deployment.get("request_settings") or {}
    timeout = int(request.get("request_timeout_ms", 5_000))
    if timeout > MOST_REQUEST_TIMEOUT_MS or settings.scoring_timeout_seconds * 1000 < timeout:
        text = f"request_timeout_ms is {timeout}, and the client waits {settings.scoring_timeout_seconds:g} s"
        yield Finding(known["ML004"], "azure/azureml/deployment.yml", text)
    in_flight = most_in_flight(
        int(request.get("max_concurrent_requests_per_instance", 1)), int(deployment.get("instance_count", 1))
    )
    partitions = max(int(hub["partitions"]) for hub in subject.definitions["hubs"])
    if settings.scoring == "remote" and partitions > in_flight:
        text = f"{partitions} partitions are scored at a time, {in_flight} requests may be in flight"
        yield Finding(known["ML003"], "azure/azureml/deployment.yml", text)


def _definitions(subject: Subject) -> Iterator[Finding]:
    from fraudstream.cloud.templates import definitions

    expected = definitions()
    hubs = {hub["name"] for hub in subject.definitions["hubs"]}
    for topic in TOPICS:
        if topic.name not in hubs:
            yield Finding(rules()["PR003"], "azure/definitions.json", f"the topic {topic.name} is missing")
    defined = {collection["name"]: collection for collection in subject.definitions["collections"]}
    for collection in expected["collections"]:
        if defined.get(collection["name"]) != collection:
            yield Finding(
                rules()["PR003"], "azure/definitions.json", f"the collection {collection['name']} differs from the code"
            )
