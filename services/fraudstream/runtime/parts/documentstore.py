"""The document store of the local profile: ``mongod`` where it is installed, else the embedded server.

The embedded server is Java code of this project, in ``services/jvm/fraudstream/documentstore``: mongo-java-server on
H2's MVStore. An acknowledged write survives a SIGKILL of the process; SIGTERM and SIGINT end it in order.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import PyMongoError

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.process import environment, folders
from fraudstream.runtime.parts import artifacts, jvm_libraries
from fraudstream.runtime.parts.addresses import in_url, reachable
from fraudstream.runtime.parts.java import server_command
from fraudstream.runtime.supervise.part import Part

NAME = "documents"

_ANSWER_MS = 400
# Sorts and aggregations load the collection that they read: 100,000 transactions take some 400 MB.
_HEAP = "768m"


def part(settings: Settings) -> Part:
    """The store as the supervisor runs it. Raises :class:`JavaMissing`; nothing is fetched before ``prepare``."""
    mongod = find_mongod(settings)
    return Part(
        name=NAME,
        command=_embedded(settings) if mongod is None else _mongod(mongod, settings),
        ready=lambda: is_ready(settings),
        ports=(settings.mongo_port,),
        prepare=lambda: prepare(settings),
        cwd=embedded_file(settings).parent if mongod is None else None,
        ready_timeout_seconds=60.0,
    )


def find_mongod(settings: Settings) -> str | None:
    """The ``mongod`` to run, or None for the embedded server, which alone reads the documents that it wrote."""
    return None if folders.exists(embedded_file(settings)) else shutil.which("mongod")


def embedded_file(settings: Settings) -> Path:
    """The embedded server's file."""
    return settings.data_dir.absolute() / "documentstore" / "store.mv"


def prepare(settings: Settings) -> None:
    """Make the data folder and fetch what the embedded server needs. Raises :class:`ArtifactError`."""
    if find_mongod(settings) is None:
        ensure_embedded()
        folders.make(embedded_file(settings).parent)
    else:
        _database_folder(settings).mkdir(parents=True, exist_ok=True)


def ensure_embedded() -> None:
    """Fetch and compile what the embedded server needs. Raises :class:`ArtifactError`, :class:`JavaMissing`."""
    artifacts.ensure("documentstore")
    jvm_libraries.ensure(jvm_libraries.DOCUMENTSTORE)


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
        # By default it takes half of the memory, which Spark and the broker need too.
        "--wiredTigerCacheSizeGB",
        "0.25",
        # For so many milliseconds an acknowledged write may be in memory only. mongod takes no lower value.
        "--journalCommitInterval",
        "1",
        "--quiet",
        *(("--ipv6",) if ":" in settings.bind_host else ()),
    )


def _embedded(settings: Settings) -> tuple[str, ...]:
    variables = environment.with_data_dir(settings.data_dir)
    return embedded_command(settings.bind_host, settings.mongo_port, embedded_file(settings), variables)


def embedded_command(host: str, port: int, file: Path, variables: Mapping[str, str]) -> tuple[str, ...]:
    """The command that serves ``file``, to be run in the file's folder. Raises :class:`JavaMissing`; fetches nothing.

    ``variables`` are those that the server's environment is made from.
    """
    options = (
        "-XX:MinHeapFreeRatio=10",
        "-XX:MaxHeapFreeRatio=25",
        # A reply of 16 MB is encoded into a buffer that doubles as it grows; where there is no room for that, the
        # library does not answer at all.
        "-XX:MaxDirectMemorySize=256m",
        # Documents may be nested 1,000 deep (Bson.java), and a stack that is not used takes no memory.
        "-Xss16m",
        "-Dio.netty.noPreferDirect=true",
        "-Dio.netty.eventLoopThreads=8",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    )
    jars = [*artifacts.paths("documentstore"), jvm_libraries.place(jvm_libraries.DOCUMENTSTORE)]
    java = server_command(_HEAP, options, jars, variables)
    return (*java, "fraudstream.documentstore.Server", host, str(port), file.name)
