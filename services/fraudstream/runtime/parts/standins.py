"""Our embedded parts in the place of Kafka's and MongoDB's official images, where no image registry can be reached.

``python -m fraudstream.runtime.parts.standins kafka|mongo``. They listen where the official images do, keep their data
in the same folders, and the broker takes its settings from the same ``KAFKA_…`` variables.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.errors import FraudstreamError
from fraudstream.core.process import environment
from fraudstream.runtime.parts import documentstore, kafka_broker

_KAFKA_PREFIX = "KAFKA_"
# Variables of the official image that are no broker settings.
_NOT_SETTINGS = frozenset({"KAFKA_HEAP_OPTS", "KAFKA_OPTS", "KAFKA_JVM_PERFORMANCE_OPTS", "KAFKA_JMX_OPTS"})
_KAFKA_DATA = "/var/lib/kafka/data"
_MONGO_FILE = Path("/data/db/store.mv")
_MONGO_PORT = 27017


def broker_properties(environment: Mapping[str, str]) -> dict[str, str]:
    """``KAFKA_LOG_DIRS=/x`` → ``log.dirs=/x``, as the official image reads its environment.

    In the names one underscore stands for a dot, two for an underscore, three for a dash.
    """
    return {
        name.removeprefix(_KAFKA_PREFIX)
        .lower()
        .replace("___", "-")
        .replace("__", "\0")
        .replace("_", ".")
        .replace("\0", "_"): value
        for name, value in environment.items()
        if name.startswith(_KAFKA_PREFIX) and name not in _NOT_SETTINGS
    }


def kafka() -> None:
    """Become the broker."""
    settings = load_settings(data_dir=Path("/tmp/kafka"))  # noqa: S108 - in a container of its own
    properties = {"log.dirs": _KAFKA_DATA} | broker_properties(os.environ)
    command = kafka_broker.prepared_command(settings, properties)
    os.chdir(kafka_broker.folder(settings))
    os.execve(command[0], command, environment.made(os.environ))  # noqa: S606 - no shell is wanted


def mongo() -> None:
    """Become the document store."""
    documentstore.ensure_embedded()
    command = documentstore.embedded_command("0.0.0.0", _MONGO_PORT, _MONGO_FILE, os.environ)  # noqa: S104
    _MONGO_FILE.parent.mkdir(parents=True, exist_ok=True)
    os.chdir(_MONGO_FILE.parent)
    os.execve(command[0], command, environment.made(os.environ))  # noqa: S606 - no shell is wanted


def main() -> int:
    """Returns only when the part cannot be started."""
    starts = {"kafka": kafka, "mongo": mongo}
    start = starts.get(sys.argv[1] if len(sys.argv) == 2 else "")
    if start is None:
        sys.stderr.write(f"usage: python -m fraudstream.runtime.parts.standins {'|'.join(starts)}\n")
        return 2
    try:
        start()
    except FraudstreamError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    return 0


if __name__ == "__main__":
    sys.exit(main())
