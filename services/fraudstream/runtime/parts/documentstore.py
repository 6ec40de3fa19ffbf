"""The document store of the local profile: ``mongod`` where it is installed, else the embedded server."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.process import folders
from fraudstream.runtime.parts import artifacts
from fraudstream.runtime.parts.addresses import in_url, reachable
from fraudstream.runtime.supervise.part import Part

NAME = "documents"

_ANSWER_MS = 400


def part(settings: Settings) -> Part:
    """The store as the supervisor runs it; nothing is fetched before ``prepare``."""
    mongod = find_mongod(settings)
    return Part(
        name=NAME,
        command=_embedded(settings) if mongod is None else _mongod(mongod, settings),
        ready=lambda: is_ready(settings),
        ports=(settings.mongo_port,),
        prepare=lambda: prepare(settings),
        ready_timeout_seconds=60.0,
    )


def find_mongod(settings: Settings) -> str | None:
    """The ``mongod`` to run, or None for the embedded server, which stays in charge of documents that it wrote."""
    return None if folders.exists(embedded_file(settings)) else shutil.which("mongod")


def embedded_file(settings: Settings) -> Path:
    """The embedded server's file."""
    return settings.data_dir.absolute() / "documentstore" / "store.mv"


def prepare(settings: Settings) -> None:
    """Make the data folder and fetch what the embedded server needs. Raises :class:`ArtifactError`."""
    if find_mongod(settings) is None:
        artifacts.ensure("documentstore")
        embedded_file(settings).parent.mkdir(parents=True, exist_ok=True)
    else:
        _database_folder(settings).mkdir(parents=True, exist_ok=True)


def is_ready(settings: Settings) -> bool:
    """The store on the port answers a ping within a second."""
    client: MongoClient[dict[str, object]] = MongoClient(
        in_url(reachable(settings.bind_host)),
        settings.mongo_port,
        directConnection=True,
        serverSelectionTimeoutMS=_ANSWER_MS,
        connectTimeoutMS=_ANSWER_MS,
        socketTimeoutMS=_ANSWER_MS,
    )
    try:
        client.admin.command("ping")
        return True
    except PyMongoError:
        return False
    finally:
        client.close()


def _database_folder(settings: Settings) -> Path:
    return settings.data_dir.absolute() / "documents"


def _mongod(executable: str, settings: Settings) -> tuple[str, ...]:
    return (
        executable,
        "--dbpath",
        str(_database_folder(settings)),
        "--bind_ip",
        settings.bind_host,
        "--port",
        str(settings.mongo_port),
        # By itself it takes half of the memory, which Spark and the broker need too.
        "--wiredTigerCacheSizeGB",
        "0.25",
        # An acknowledged write may still be in memory for this long (ms); the least that it takes.
        "--journalCommitInterval",
        "1",
        "--quiet",
        *(("--ipv6",) if ":" in settings.bind_host else ()),
    )


def _embedded(settings: Settings) -> tuple[str, ...]:
    return (
        sys.executable,
        "-m",
        "fraudstream.runtime.parts.documentstore_server",
        "--host",
        settings.bind_host,
        "--port",
        str(settings.mongo_port),
        "--file",
        str(embedded_file(settings)),
    )
