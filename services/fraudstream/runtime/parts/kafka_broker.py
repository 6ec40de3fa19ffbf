"""The embedded Apache Kafka: one node that is broker and KRaft controller, configured for a laptop."""

from __future__ import annotations

import base64
import os
import socket
import struct
import subprocess
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kafka.protocol.metadata import MetadataRequest, MetadataResponse

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import TOPICS
from fraudstream.core.errors import RuntimePartError
from fraudstream.core.process import environment
from fraudstream.runtime.parts import artifacts
from fraudstream.runtime.parts.addresses import in_url, reachable
from fraudstream.runtime.parts.java import server_command
from fraudstream.runtime.supervise.part import Part

NAME = "kafka"

_NODE_ID = 1
_PROPERTIES = "server.properties"
_LOGGING = "log4j2.properties"
_FORMAT_SECONDS = 60
_ANSWER_SECONDS = 0.4
_METADATA_VERSION = 4  # old enough for every broker, and it names the cluster

_LOG4J2 = """\
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX}{UTC} %p %c{1}: %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
logger.recovery.name = org.apache.kafka.storage.internals.log.LogManager
logger.recovery.level = info
# At the level of warnings it reports every default that differs between broker and topic.
logger.config.name = org.apache.kafka.common.config
logger.config.level = error
"""


def part(settings: Settings) -> Part:
    """The broker as the supervisor runs it. Raises :class:`JavaMissing`; nothing is fetched before ``prepare``."""
    return Part(
        name=NAME,
        command=_command(settings),
        ready=lambda: is_ready(settings),
        ports=(settings.kafka_port, settings.kafka_controller_port),
        prepare=lambda: prepare(settings),
        cwd=folder(settings),
        ready_timeout_seconds=60.0,
    )


def prepare(settings: Settings) -> None:
    """Write the configuration and, the first time, format the log folder.

    Raises :class:`ArtifactError`, :class:`RuntimePartError`. The cluster's id outlives an interrupted formatting.
    """
    prepared_command(settings, {})


def prepared_command(settings: Settings, changes: Mapping[str, str]) -> tuple[str, ...]:
    """Prepare a broker whose ``server.properties`` differ by ``changes``.

    Returns the command that runs it, in :func:`folder`.
    """
    artifacts.ensure("kafka")
    home = folder(settings)
    properties = server_properties(settings) | dict(changes)
    data = home / properties["log.dirs"]
    for needed_folder in (home, data):
        needed_folder.mkdir(parents=True, exist_ok=True)
    (home / _LOGGING).write_text(_LOG4J2, "utf-8")
    (home / _PROPERTIES).write_text(properties_text(properties), "ascii")
    # The formatter writes this file last.
    if not (data / "meta.properties").exists():
        _format(settings)
    return _command(settings)


def is_ready(settings: Settings) -> bool:
    """The broker on the port answers a metadata request within a second, and its cluster is that of our folder."""
    try:
        metadata = _metadata((reachable(settings.bind_host), settings.kafka_port))
        return bool(metadata.brokers) and metadata.cluster_id == _cluster_id(folder(settings))
    except Exception:
        return False


def server_properties(settings: Settings) -> dict[str, str]:
    """The broker's ``server.properties``."""
    largest = max(topic.max_message_bytes for topic in TOPICS) + 64 * 1024
    return {
        "process.roles": "broker,controller",
        "node.id": str(_NODE_ID),
        "controller.quorum.voters": f"{_NODE_ID}@127.0.0.1:{settings.kafka_controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "listeners": (
            f"PLAINTEXT://{in_url(settings.bind_host)}:{settings.kafka_port},"
            f"CONTROLLER://127.0.0.1:{settings.kafka_controller_port}"
        ),
        "advertised.listeners": f"PLAINTEXT://{in_url(reachable(settings.bind_host))}:{settings.kafka_port}",
        # A path below the working folder: Kafka would read a folder's name with a comma as two names.
        "log.dirs": "data",
        "auto.create.topics.enable": "false",
        # One node holds every replica.
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "4",
        "group.initial.rebalance.delay.ms": "0",
        "message.max.bytes": str(largest),
        "replica.fetch.max.bytes": str(largest),
        "socket.request.max.bytes": str(32 * 1024 * 1024),
        # Little memory, few threads, and no work while there is no traffic.
        "num.network.threads": "2",
        "num.io.threads": "4",
        "background.threads": "2",
        "num.recovery.threads.per.data.dir": "1",
        "group.coordinator.threads": "1",
        "group.coordinator.background.threads": "1",
        "log.cleaner.dedupe.buffer.size": str(4 * 1024 * 1024),
        "log.segment.bytes": str(128 * 1024 * 1024),
        "log.index.size.max.bytes": str(1024 * 1024),
        "metadata.log.max.idle.interval.ms": "0",
        # After a kill the broker can only register again once its former session has ended.
        "broker.session.timeout.ms": "4000",
        "broker.heartbeat.interval.ms": "1000",
        # Consumers that pause for some days still find their offsets.
        "offsets.retention.minutes": str(30 * 24 * 60),
    }


def _metadata(address: tuple[str, int]) -> Any:
    """Ask over one socket: while the broker starts, the full client would log each refusal and keep a thread."""
    request = MetadataRequest(topics=[], version=_METADATA_VERSION)
    request.with_header(correlation_id=1, client_id="fraudstream-ready")
    with socket.create_connection(address, _ANSWER_SECONDS) as connection:
        connection.sendall(request.encode(header=True, framed=True))
        with connection.makefile("rb") as stream:
            (length,) = struct.unpack(">i", stream.read(4))
            body = stream.read(length)
    return MetadataResponse.decode(body, version=_METADATA_VERSION, header=True)


def folder(settings: Settings) -> Path:
    """The broker's working folder, with its log and its configuration."""
    return settings.data_dir.absolute() / "kafka"


def properties_text(properties: Mapping[str, str]) -> str:
    """The properties as a file that Java reads, one a line."""
    return "".join(f"{name}={_escaped(value)}\n" for name, value in properties.items())


def _escaped(value: str) -> str:
    """A value as Java's ``Properties.load`` reads it: ASCII, with escapes for all other characters (its API docs)."""
    units = value.replace("\\", "\\\\").encode("utf-16-be")
    codes = (int.from_bytes(units[place : place + 2], "big") for place in range(0, len(units), 2))
    return "".join(chr(code) if 0x20 <= code < 0x7F else f"\\u{code:04x}" for code in codes)


def _command(settings: Settings) -> tuple[str, ...]:
    return (*_java(settings, settings.kafka_heap), "kafka.Kafka", _PROPERTIES)


def _java(settings: Settings, heap: str) -> tuple[str, ...]:
    variables = environment.with_data_dir(settings.data_dir)
    options = ("-XX:MaxMetaspaceSize=128m", f"-Dlog4j2.configurationFile={_LOGGING}")
    return server_command(heap, options, artifacts.paths("kafka"), variables)


def _cluster_id(home: Path) -> str:
    return (home / "cluster.id").read_text("utf-8").strip()


def _new_cluster_id() -> str:
    """A random id in Kafka's format, without a dash at its start: the formatter would take that for an option."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()).startswith("-"):
        pass
    return text


def _format(settings: Settings) -> None:
    home = folder(settings)
    identity = home / "cluster.id"
    if not identity.exists():
        partial = identity.with_suffix(".part")
        partial.write_text(_new_cluster_id(), "utf-8")
        partial.replace(identity)
    try:
        formatting = subprocess.run(
            [
                *_java(settings, "128m"),
                "-XX:TieredStopAtLevel=1",
                "kafka.tools.StorageTool",
                "format",
                "--cluster-id",
                _cluster_id(home),
                "--config",
                _PROPERTIES,
            ],
            cwd=home,
            env=environment.made(os.environ),
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_FORMAT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise RuntimePartError(
            f"Kafka's storage in {home} could not be formatted within {_FORMAT_SECONDS} s. Try again when the "
            "machine is less busy."
        ) from error
    if formatting.returncode != 0:
        output = (formatting.stderr or formatting.stdout).strip()[-500:]
        raise RuntimePartError(
            f"Kafka's storage in {home} could not be formatted: {output}. `fraudstream reset` starts anew."
        )
