"""The parts of the local profile: what `fraudstream up` starts, in which order, and with which environment."""

from __future__ import annotations

import http.client
import os
import ssl
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from fraudstream.core.access import iot_hub
from fraudstream.core.configuration.settings import ENV_PREFIX, Settings
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.kafka import clients as kafka
from fraudstream.core.process import environment, folders
from fraudstream.core.project.places import bundled_names
from fraudstream.core.streaming.health import READY_FILE_VARIABLE, failing_file, failing_sentence, running_file
from fraudstream.runtime.parts import (
    artifacts,
    class_archive,
    devices,
    documentstore,
    jvm_libraries,
    kafka_broker,
    mlflow_server,
)
from fraudstream.runtime.parts.addresses import reachable
from fraudstream.runtime.parts.folder_names import check_folders
from fraudstream.runtime.parts.java import spark_environment
from fraudstream.runtime.supervise.holding import is_held_back
from fraudstream.runtime.supervise.part import Part
from fraudstream.runtime.supervise.preflight import runs_here
from fraudstream.runtime.supervise.state import run_dir
from fraudstream.spark.session import ARCHIVE_VARIABLE, JARS_VARIABLE

PART_NAMES = ("kafka", "documents", "mlflow", "store", "scoring", "stream", "dashboards")

_ANSWER_SECONDS = 1.0

# Store and stream are prepared at the same time.
_PREPARING = threading.Lock()


def local_parts(settings: Settings) -> list[Part]:
    """All parts; what the first scored event waits for longest comes first. Raises :class:`JavaMissing`.

    Raises :class:`ConfigurationError` where the settings say that the parts run elsewhere, or name a folder that cannot
    be used.
    """
    if not runs_here(settings):
        raise ConfigurationError(
            f"The parts run elsewhere: FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS is `{settings.kafka_bootstrap_servers}` "
            f"(profile `{settings.profile}`). With Compose, start them with `docker compose up`; in Azure they are "
            "services. FRAUDSTREAM_PROFILE=local runs them on this machine."
        )
    check_folders(settings)
    return [
        kafka_broker.part(settings),
        documentstore.part(settings),
        _mlflow(settings),
        _spark_job(settings, "store", after=("kafka", "documents")),
        _scoring(settings),
        _spark_job(settings, "stream", after=("kafka",)),
        _dashboards(settings),
        *(FURTHER_PARTS[name](settings) for name in further_parts(settings)),
    ]


def further_parts(settings: Settings) -> list[str]:
    """The names of the parts that the settings ask for. Raises :class:`ConfigurationError` for one there is not."""
    names = list(dict.fromkeys(settings.further_parts))
    unknown = [name for name in names if name not in FURTHER_PARTS]
    if unknown:
        raise ConfigurationError(
            f"FRAUDSTREAM_WITH_PARTS or --with names {', '.join(map(repr, unknown))}. "
            f"Parts that can be added are: {', '.join(FURTHER_PARTS)}."
        )
    return names


def settings_environment(settings: Settings) -> dict[str, str]:
    """The settings as environment variables, so that a child has the same ones wherever its values came from.

    Files and folders are absolute: a child may run in a folder of its own.
    """
    exported = {}
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            value = value.get_secret_value()
        elif isinstance(value, Path):
            value = value.absolute()
        if value is not None and value != "":
            exported[f"{ENV_PREFIX}{name.upper()}"] = str(value)
    if settings.project not in bundled_names():
        exported[f"{ENV_PREFIX}PROJECT"] = str(Path(settings.project).expanduser().absolute())
    return exported | {f"{ENV_PREFIX}DATA_DIR": str(settings.data_dir.resolve())}


def spark_job_environment(settings: Settings) -> dict[str, str]:
    """What a process that starts Spark needs; fetches the jars if they are missing.

    Raises :class:`JavaMissing`, :class:`ArtifactError`.
    """
    jars = os.pathsep.join(map(str, [*artifacts.ensure("spark-kafka"), jvm_libraries.ensure(jvm_libraries.SPARK)]))
    archive = class_archive.archive_file(jars)
    archived = {ARCHIVE_VARIABLE: class_archive.mapped(archive)} if folders.exists(archive) else {}
    return frugal_environment(settings) | spark_environment() | {JARS_VARIABLE: jars} | archived


def _spark_job(settings: Settings, name: str, after: Sequence[str]) -> Part:
    ready_file = run_dir(settings.data_dir.resolve()) / f"{name}.ready"
    # Completed by `prepare`: the jars may have to be fetched, which must not hold up the other parts.
    env = frugal_environment(settings) | spark_environment() | {READY_FILE_VARIABLE: str(ready_file)}

    def prepare() -> None:
        ready_file.unlink(missing_ok=True)
        failing_file(ready_file).unlink(missing_ok=True)
        running_file(ready_file).unlink(missing_ok=True)
        with _PREPARING:
            kafka.create_topics(settings)
            env.update(spark_job_environment(settings))

    return Part(
        name,
        _module(name),
        ready_file.exists,
        env=env,
        after=after,
        prepare=prepare,
        failing=lambda: failing_sentence(ready_file),
    )


def _mlflow(settings: Settings) -> Part:
    # Answered from the database.
    ready = _answers(
        settings, settings.mlflow_port, "/api/2.0/mlflow/experiments/search?max_results=1", only_success=True
    )
    return Part(
        "mlflow",
        mlflow_server.command(settings),
        ready,
        env=frugal_environment(settings) | mlflow_server.environment(settings),
        ports=(settings.mlflow_port,),
        prepare=lambda: mlflow_server.prepare(settings),
        cwd=mlflow_server.folder(settings),
    )


def _scoring(settings: Settings) -> Part:
    # Before the first champion it answers 503: it runs, and will score as soon as there is a model.
    ready = _answers(settings, settings.scoring_port, "/health")
    ports = (settings.scoring_port,)
    # Where the stream job scores by itself, the first scored event does not wait for the service.
    if settings.scoring != "embedded":
        return Part(
            "scoring", _module("scoring"), ready, env=frugal_environment(settings), ports=ports, after=("mlflow",)
        )
    after, held = ("mlflow", "stream"), partial(is_held_back, settings.data_dir.resolve())
    return Part(
        "scoring", _module("scoring"), ready, env=frugal_environment(settings), ports=ports, after=after, held=held
    )


def _dashboards(settings: Settings) -> Part:
    ready = _answers(settings, settings.dashboard_port, "/", only_success=True)
    # They start when nothing that a first scored event needs competes with them for the processor.
    after = ("documents", "store", "stream", "scoring")
    ports = (settings.dashboard_port,)
    held = partial(is_held_back, settings.data_dir.resolve())
    return Part(
        "dashboards",
        _module("dashboards"),
        ready,
        env=frugal_environment(settings),
        ports=ports,
        after=after,
        held=held,
    )


def _ingest(settings: Settings) -> Part:
    port = settings.ingest_port
    return Part(
        "ingest",
        _module("ingest"),
        _answers(settings, port, "/health", only_success=True, has_tls=settings.tls_certificate is not None),
        env=frugal_environment(settings),
        ports=(port,),
        after=("kafka",),
        prepare=lambda: _create_topics(settings),
    )


def _devices(settings: Settings) -> Part:
    def prepare() -> None:
        devices.prepare(iot_hub.folder(settings))
        _create_topics(settings)

    return Part(
        devices.NAME,
        devices.command(settings),
        _answers(
            settings,
            settings.iot_hub_port,
            "/health",
            only_success=True,
            has_tls=settings.iot_hub_url.startswith("https:"),
        ),
        env=frugal_environment(settings),
        ports=devices.ports(settings),
        after=("kafka",),
        prepare=prepare,
        cwd=iot_hub.folder(settings),
    )


# Started on request (`up --with`): whoever needs no further way in should not pay for one.
FURTHER_PARTS: Mapping[str, Callable[[Settings], Part]] = {"ingest": _ingest, "devices": _devices}


def _create_topics(settings: Settings) -> None:
    with _PREPARING:
        kafka.create_topics(settings)


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", f"fraudstream.{name}"]


def frugal_environment(settings: Settings) -> dict[str, str]:
    """What every Python part has in its environment beside the usual: our settings, few threads and arenas."""
    defaults = {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        # Each thread's own arena keeps what it freed; two keep the resident size near what is in use.
        "MALLOC_ARENA_MAX": "2",
    }
    given = environment.made(os.environ)
    chosen = {name: given.get(name, value) for name, value in defaults.items()}
    return settings_environment(settings) | chosen | {"PYTHONUNBUFFERED": "1"}


def _answers(
    settings: Settings, port: int, path: str, only_success: bool = False, has_tls: bool = False
) -> Callable[[], bool]:
    host = reachable(settings.bind_host)
    # Whether it answers is asked, and not whose certificate it shows.
    connect = partial(http.client.HTTPSConnection, context=ssl._create_unverified_context()) if has_tls else None  # noqa: S323

    def ask() -> bool:
        connection = (connect or http.client.HTTPConnection)(host, port, timeout=_ANSWER_SECONDS)
        try:
            connection.request("GET", path)
            return connection.getresponse().status < 400 or not only_success
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return ask
