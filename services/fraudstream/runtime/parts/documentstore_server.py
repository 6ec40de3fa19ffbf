"""An embedded document store that speaks MongoDB's protocol: mongo-java-server on H2's MVStore, in this process.

``python -m fraudstream.runtime.parts.documentstore_server --host HOST --port PORT --file FILE``

A write that was acknowledged survives the process being killed. SIGTERM and SIGINT end it cleanly.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar, cast

import jpype
import structlog

from fraudstream.core.errors import FraudstreamError, PortTaken, RuntimePartError
from fraudstream.core.output.logs import configure_logging
from fraudstream.core.process import environment
from fraudstream.runtime.parts import artifacts
from fraudstream.runtime.parts.documentstore_commands import (
    count_answer,
    counting,
    document,
    keep_unique,
    with_codes,
    writes,
)
from fraudstream.runtime.parts.java import find_java

# Sorts and aggregations load the collection that they read: 100,000 transactions take some 400 MB.
HEAP = "768m"

# What pymongo 4.20 and later ask for at least is 4.2's; 13 is MongoDB 5.0's.
_VERSION = (5, 0, 0)
_WIRE_VERSION = 13

_MAINTENANCE_SECONDS = 5.0
# Space of outdated chunks is reused after this time: the last states on disk outlive a power cut.
_RETENTION_MS = 10_000
# Compaction walks through whole collections: smaller files are left alone until the store is closed.
_UNCOMPACTED_BYTES = 512 * 1024 * 1024
_LEAST_FILL_PERCENT = 40
_COMPACTED_BYTES = 8 * 1024 * 1024
_CLOSING_MS = 1_500
_CACHE_MB = 64

log = structlog.get_logger()
Method = TypeVar("Method", bound=Callable[..., Any])


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit status."""
    parser = argparse.ArgumentParser(prog="fraudstream-documentstore", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=27017)
    parser.add_argument("--file", type=Path, required=True)
    options = parser.parse_args(arguments)
    configure_logging("documentstore")
    try:
        serve(options.host, options.port, options.file)
    except FraudstreamError as error:
        log.error("stopped", reason=str(error))
        return error.exit_status
    except Exception:
        log.exception("stopped")
        return 1
    return 0


def serve(host: str, port: int, file: Path) -> None:
    """Serve ``file`` until SIGTERM or SIGINT, in its folder. Raises :class:`PortTaken`, :class:`RuntimePartError`."""
    _enter(file.absolute().parent)
    _start_java()
    # Set after the virtual machine's start, which installs handlers of its own.
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)

    store = _open(file)
    backend = Backend(store)
    server = jpype.JClass("de.bwaldvogel.mongo.MongoServer")(backend)
    try:
        server.bind(host, port)
    except jpype.JException as error:
        store.close()
        raise PortTaken(
            f"The document store cannot listen on {host}:{port} ({error}). End what listens there, or set "
            "FRAUDSTREAM_MONGO_PORT."
        ) from error
    log.info("listening", host=host, port=port, file=str(file), bytes=Path(file.name).stat().st_size)
    while not stopping.wait(_MAINTENANCE_SECONDS):
        if store.isClosed():  # by itself, after a write to the file failed; a restart reads what was committed
            raise RuntimePartError(f"{file} could not be written. Is the disk full? Free some space.")
        backend.compact()
    server.stopListening()
    backend.close()
    log.info("closed", file=str(file), bytes=Path(file.name).stat().st_size)


def _enter(folder: Path) -> None:
    """Work in the folder: H2 takes a backslash in its name for a slash, and a tilde for the user's home."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.chdir(folder)
    except OSError as error:
        raise RuntimePartError(
            f"The documents' folder {folder} cannot be used ({error.strerror}). Make it writable, or set "
            "FRAUDSTREAM_DATA_DIR to another one."
        ) from error


def _start_java() -> None:
    jpype.startJVM(
        f"-Xmx{HEAP}",
        "-Xss512k",
        "-Xrs",
        "-XX:+UseSerialGC",
        "-XX:MinHeapFreeRatio=10",
        "-XX:MaxHeapFreeRatio=25",
        # A reply of 16 MB is encoded into a buffer that doubles as it grows; where there is no room for that, the
        # library does not answer at all.
        "-XX:MaxDirectMemorySize=256m",
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        *environment.java_properties(environment.made(os.environ)),
        "-Dio.netty.noPreferDirect=true",
        "-Dio.netty.eventLoopThreads=8",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        jvmpath=str(find_java().library),
        classpath=[str(path) for path in artifacts.ensure("documentstore")],
        convertStrings=False,
    )


def _open(file: Path) -> Any:
    builder = jpype.JClass("org.h2.mvstore.MVStore$Builder")()
    try:
        store = builder.fileName(f"./{file.name}").autoCommitDisabled().cacheSize(_CACHE_MB).compress().open()
    except jpype.JException as error:
        raise RuntimePartError(
            f"The documents in {file} cannot be opened ({error}). If another process has them open, end it; if they "
            "are damaged, `fraudstream reset` starts anew."
        ) from error
    store.setRetentionTime(_RETENTION_MS)
    store.setVersionsToKeep(0)
    return store


def _own_formats(store: Any) -> Any:
    """The library's backend, with keys and documents written in the formats of ``java/Documents.java``."""
    source = resources.files("fraudstream.runtime.parts").joinpath("java/Documents.java").read_text("utf-8")
    compiler = jpype.JClass("org.codehaus.janino.SimpleCompiler")()
    compiler.setParentClassLoader(jpype.JClass("de.bwaldvogel.mongo.backend.h2.H2Backend").class_.getClassLoader())
    compiler.cook(source)
    made = compiler.getClassLoader().loadClass("fraudstream.documentstore.Documents")
    return made.getConstructor(store.getClass()).newInstance(store)


def _overrides(method: Method) -> Method:
    return cast("Method", jpype.JOverride(method))


@jpype.JImplements("de.bwaldvogel.mongo.MongoVersion", deferred=True)
class _Version:
    """The version that clients see: the library's own ones answer a wire version that pymongo refuses."""

    @_overrides
    def getVersionArray(self) -> Any:
        return jpype.java.util.List.of(*(jpype.JObject(number, jpype.JInt) for number in _VERSION))

    @_overrides
    def toVersionString(self) -> str:
        return ".".join(map(str, _VERSION))

    @_overrides
    def getWireVersion(self) -> int:
        return _WIRE_VERSION


@jpype.JImplements("de.bwaldvogel.mongo.MongoBackend", deferred=True)
class Backend:
    """Hands every call to the H2 backend, and commits after each write before its reply goes out.

    Writes take turns: a commit in the middle of another write would keep half of it (a document without its key in
    the index) if the process were killed then.
    """

    def __init__(self, store: Any) -> None:
        self._store = store
        self._h2 = _own_formats(store)
        self._h2.version(_Version())
        self._turn = threading.Lock()

    def compact(self) -> None:
        """Where the file is large and mostly outdated, rewrite a few megabytes of it, so that space is reused."""
        with self._turn:
            files = self._store.getFileStore()
            if files.size() > _UNCOMPACTED_BYTES and files.getChunksFillRate() < _LEAST_FILL_PERCENT:
                self._store.compact(_LEAST_FILL_PERCENT, _COMPACTED_BYTES)

    @_overrides
    def handleMessage(self, message: Any) -> Any:
        query = message.getDocument()
        command = query.keySet().iterator().next()
        try:
            return self.handleCommand(message.getChannel(), message.getDatabaseName(), command, query)
        except jpype.JException:
            raise  # the library makes its answer of it
        except Exception:
            log.exception("command failed", command=str(command))
            raise

    @_overrides
    def handleCommand(self, channel: Any, database: Any, command: Any, query: Any) -> Any:
        name = str(command).lower()
        if name == "createindexes" and not keep_unique(query):
            return document({"ok": 1.0})
        if name == "aggregate" and (counted := counting(query)) is not None:
            result = self._read(self._h2.handleCommand, channel, database, "count", counted)
            return count_answer(f"{database}.{query.get('aggregate')}", result)
        if writes(name, query):
            return with_codes(self._write(self._h2.handleCommand, channel, database, command, query))
        return self._read(self._h2.handleCommand, channel, database, command, query)

    def _read(self, handle: Any, *arguments: Any) -> Any:
        # While the version is in use, compaction leaves the pages alone that a scan still has to visit.
        version = self._store.registerVersionUsage()
        try:
            return handle(*arguments)
        finally:
            self._store.deregisterVersionUsage(version)

    def _write(self, handle: Any, *arguments: Any) -> Any:
        with self._turn:
            try:
                return handle(*arguments)
            finally:
                self._store.commit()

    @_overrides
    def dropDatabase(self, database: Any) -> None:
        self._write(self._h2.dropDatabase, database)

    @_overrides
    def close(self) -> None:
        with self._turn:
            self._store.close(_CLOSING_MS)

    @_overrides
    def handleQuery(self, query: Any) -> Any:
        return self._h2.handleQuery(query)

    @_overrides
    def handleClose(self, channel: Any) -> None:
        self._h2.handleClose(channel)

    @_overrides
    def getCurrentOperations(self, query: Any) -> Any:
        return self._h2.getCurrentOperations(query)

    @_overrides
    def getServerStatus(self) -> Any:
        return self._h2.getServerStatus()

    @_overrides
    def closeCursors(self, cursors: Any) -> None:
        self._h2.closeCursors(cursors)

    @_overrides
    def getClock(self) -> Any:
        return self._h2.getClock()

    @_overrides
    def enableOplog(self) -> None:
        self._h2.enableOplog()

    @_overrides
    def disableOplog(self) -> None:
        self._h2.disableOplog()

    @_overrides
    def resolveDatabase(self, name: Any) -> Any:
        return self._h2.resolveDatabase(name)

    @_overrides
    def version(self, version: Any) -> Any:
        self._h2.version(version)
        return self


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    # An orderly exit would wait for the library's threads, which linger for seconds with nothing left to do.
    os._exit(status)
