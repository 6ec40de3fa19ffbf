"""The subject of the checks: settings, the clients built from them, the code, the templates and the commands sent."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from fraudstream.asaql.project_files.folder import QueryProject
from fraudstream.asaql.strategies.project_query import project_query
from fraudstream.cloud.templates import hubs_of
from fraudstream.core.configuration.addresses import broker_problem
from fraudstream.core.configuration.malformed import Malformed
from fraudstream.core.configuration.settings import Settings, malformed_values, validated
from fraudstream.core.configuration.variables import Unread, unread
from fraudstream.core.contract.topics import HTTP_BATCH_BYTES, MAX_EVENT_BYTES, TOPICS, Topic, topics_of
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.kafka import clients as kafka
from fraudstream.core.project.project import Project, named

SOURCE_ROOTS = ("services", "generator", "ml", "dashboards")
COMMANDS_FILE = Path("azure/mongo-commands.json")
DEFINITIONS_FILE = Path("azure/definitions.json")
SAMPLE_FILE = "sample.jsonl"
_STAND_IN = "namespace.servicebus.windows.net:9093"
# These parts run on a developer's machine only.
_NOT_IN_AZURE = ("runtime", "cloud")

# kafka-python's names → the Java client's, under which the service documents them.
_JAVA_NAMES = {
    "security_protocol": "security.protocol",
    "sasl_mechanism": "sasl.mechanism",
    "sasl_plain_username": "sasl.username",
    "metadata_max_age_ms": "metadata.max.age.ms",
    "connections_max_idle_ms": "connections.max.idle.ms",
    "request_timeout_ms": "request.timeout.ms",
    "max_request_size": "max.request.size",
    "compression_type": "compression.type",
    "session_timeout_ms": "session.timeout.ms",
    "transactional_id": "transactional.id",
    "group_id": "group.id",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """``clients``: client → its options under Java's names. ``addressed``: whether an address of Azure is set.

    ``project``: what is particular to the transactions; chosen by FRAUDSTREAM_PROJECT. ``query``: its job.
    ``sources``: path → syntax tree of the code that runs in Azure; ``core``: the same of the core. ``parameters``: the
    parameter file's values. ``deployment``, ``endpoint``: Azure ML's YAML. ``commands``: the recorded commands, each
    with its test in ``from``. ``malformed``: values that a start refuses. ``unread``: variables and lines of `.env`
    that nothing reads. ``sample_event_bytes``: the size of the project's largest sample event, 0 without samples.
    """

    settings: Settings
    project: Project
    query: QueryProject
    addressed: bool
    clients: Mapping[str, Mapping[str, Any]]
    topics: tuple[Topic, ...]
    sources: Mapping[str, ast.Module]
    core: Mapping[str, ast.Module]
    definitions: Mapping[str, Any]
    parameters: Mapping[str, Any]
    endpoint: Mapping[str, Any]
    deployment: Mapping[str, Any]
    commands: tuple[Mapping[str, Any], ...]
    expected_events_per_second: float = 100.0
    largest_event_bytes: int = MAX_EVENT_BYTES
    http_batch_bytes: int = HTTP_BATCH_BYTES
    sample_event_bytes: int = 0
    hub_policies: Mapping[str, str] = field(default_factory=dict)
    malformed: tuple[Malformed, ...] = ()
    unread: tuple[Unread, ...] = ()


def gather(clone: Path, parameters: str = "dev") -> Subject:
    """Read a clone. Raises :class:`ConfigurationError` where it has no templates, or the project cannot be run."""
    if not (clone / "azure" / "main.bicep").is_file():
        raise ConfigurationError(
            f"{clone.resolve()} holds no azure/main.bicep. Run it in the folder of a clone; FRAUDSTREAM_PROJECT "
            "chooses the project."
        )
    # A start refuses malformed values; here each becomes a finding.
    settings = validated(profile="azure")
    addressed = any(
        (
            settings.kafka_bootstrap_servers,
            settings.kafka_sasl_password.get_secret_value(),
            settings.mongo_uri.get_secret_value(),
            settings.scoring_url,
            settings.mlflow_tracking_uri,
        )
    )
    trees = {
        str(path.relative_to(clone)): ast.parse(path.read_text("utf-8"))
        for root in SOURCE_ROOTS
        for path in sorted((clone / root / "fraudstream").rglob("*.py"))
    }
    part = {name: name.split("/")[2].removesuffix(".py") for name in trees}
    file = json.loads((clone / "azure" / "parameters" / f"{parameters}.json").read_text("utf-8"))
    values = {name: parameter["value"] for name, parameter in file["parameters"].items()}
    commands = clone / COMMANDS_FILE
    project = named(settings.project)
    topics = topics_of(project)
    definitions = json.loads((clone / DEFINITIONS_FILE).read_text("utf-8"))
    further = hubs_of(topic for topic in topics if topic not in TOPICS)
    return Subject(
        settings=settings,
        project=project,
        query=project_query(project),
        addressed=addressed,
        clients=_clients(settings),
        topics=topics,
        sources={name: tree for name, tree in trees.items() if part[name] not in ("core", *_NOT_IN_AZURE)},
        core={name: tree for name, tree in trees.items() if part[name] == "core"},
        definitions=definitions | {"hubs": [*definitions["hubs"], *further]},
        parameters=values,
        endpoint=yaml.safe_load((clone / "azure/azureml/endpoint.yml").read_text("utf-8")),
        deployment=yaml.safe_load((clone / "azure/azureml/deployment.yml").read_text("utf-8")),
        commands=tuple(json.loads(commands.read_text("utf-8"))["commands"]) if commands.is_file() else (),
        expected_events_per_second=float(values.get("expectedEventsPerSecond", 100)),
        malformed=tuple(malformed_values(profile="azure")),
        unread=tuple(unread()),
        sample_event_bytes=_largest_sample(project.folder / SAMPLE_FILE),
        hub_policies={f"{topic.name}-send": topic.name for topic in topics}
        | {f"{topic.name}-listen": topic.name for topic in topics},
    )


def _largest_sample(file: Path) -> int:
    return max(map(len, file.read_bytes().splitlines()), default=0) if file.is_file() else 0


def java_names(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of kafka-python under the Java client's names, without those that Java does not have."""
    return {_JAVA_NAMES[name]: value for name, value in options.items() if name in _JAVA_NAMES}


def option_names() -> Mapping[str, str]:
    """kafka-python's option → the Java client's."""
    return dict(_JAVA_NAMES)


def _clients(settings: Settings) -> dict[str, dict[str, Any]]:
    """The options of each client as the factories build them, with a placeholder for a missing address."""
    stand_in = {
        "kafka_bootstrap_servers": settings.kafka_bootstrap_servers or _STAND_IN,
        "kafka_sasl_password": settings.kafka_sasl_password.get_secret_value() or "not given",
    }
    if broker_problem(stand_in["kafka_bootstrap_servers"]):
        stand_in["kafka_bootstrap_servers"] = _STAND_IN
    values = {name: getattr(settings, name) for name in type(settings).model_fields}
    complete = Settings(**(values | stand_in))
    clients = {"python clients": java_names(kafka.client_options(complete))}
    clients["python producer"] = clients["python clients"] | {"max.request.size": complete.kafka_max_request_bytes}
    if complete.kafka_sasl_mechanism != "OAUTHBEARER" or complete.kafka_oauth_token_url:
        options = kafka.spark_sink_options(complete)
        clients["spark"] = {name.removeprefix("kafka."): _number(value) for name, value in options.items()}
    return clients


def _number(value: str) -> Any:
    return int(value) if value.isdecimal() else value
