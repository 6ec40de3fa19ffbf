"""The IoT hub of the local profile: its registry and REST API, and the MQTT broker that it starts.

``python -m fraudstream.runtime.parts.devices`` runs it alone, as an image does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from fraudstream.core.access.iot_hub import folder
from fraudstream.core.configuration.settings import Settings, load_settings
from fraudstream.core.errors import FraudstreamError
from fraudstream.core.process import environment, folders
from fraudstream.runtime.parts import artifacts, jvm_libraries
from fraudstream.runtime.parts.java import server_command

NAME = "devices"

_HEAP = "256m"
_OPTIONS = (
    "-XX:MinHeapFreeRatio=10",
    "-XX:MaxHeapFreeRatio=25",
    "-XX:MaxMetaspaceSize=128m",
    "-XX:TieredStopAtLevel=1",
    # Sockets' buffers of some hundred devices that send 256 KB each.
    "-XX:MaxDirectMemorySize=128m",
    "-Dio.netty.eventLoopThreads=4",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
)


def command(settings: Settings, arguments: Sequence[str] = ()) -> tuple[str, ...]:
    """The command that serves devices, to be run in the hub's folder. Raises :class:`JavaMissing`; fetches nothing."""
    variables = environment.with_data_dir(settings.data_dir)
    jars = [*artifacts.paths("devices"), jvm_libraries.place(jvm_libraries.DEVICES)]
    java = server_command(_HEAP, _OPTIONS, jars, variables)
    broker = (*java, "fraudstream.devices.Broker", "broker")
    return (sys.executable, "-m", "fraudstream.devices", *arguments, "--", *broker)


def ports(settings: Settings) -> tuple[int, ...]:
    """The ports that it listens on."""
    tls = () if settings.tls_certificate is None else (settings.mqtt_tls_port,)
    return (settings.iot_hub_port, settings.mqtt_port, *tls)


def prepare(place: Path) -> None:
    """Make the place where the command runs, fetch and compile. Raises :class:`ArtifactError`, :class:`JavaMissing`."""
    artifacts.ensure("devices")
    jvm_libraries.ensure(jvm_libraries.DEVICES)
    folders.make(place)


def main() -> int:
    """Become the process that serves; returns an exit status only where that is not possible."""
    try:
        settings = load_settings()
        prepare(folder(settings))
        words = command(settings)
    except FraudstreamError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    variables = environment.with_data_dir(settings.data_dir)
    os.chdir(folder(settings))
    return os.execve(words[0], words, variables)  # noqa: S606


if __name__ == "__main__":
    sys.exit(main())
