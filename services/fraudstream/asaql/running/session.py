"""Spark on this machine for a query: a session, and calls of its Java side."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from fraudstream.asaql.running.javascript import javascript_jars
from fraudstream.core.configuration.settings import Settings, load_settings
from fraudstream.core.errors import FraudstreamError
from fraudstream.core.output.text import error_text
from fraudstream.core.process import environment

if TYPE_CHECKING:
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

_STDERR = 2
_SPARK_CLASSES = ("org.apache.spark.", "java.util.concurrent.")


class QuerySession:
    """Spark for one query after another; ``scratch`` is a folder that goes with it.

    ``allows_python``: whether queries may call functions in Python, which can do whatever their user can.
    """

    def __init__(self, context: SparkContext, scratch: Path, *, allows_python: bool = False) -> None:
        self.context = context
        self.scratch = scratch
        self.allows_python = allows_python

    def sql(self) -> SparkSession:
        """The SQL session, which is started when it is first asked for."""
        from pyspark.sql import SparkSession

        return SparkSession.builder.getOrCreate()

    def run(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """Run a job as the Java class ``QueryRun`` reads it; its report. Raises :class:`FraudstreamError`."""
        from py4j.protocol import Py4JError, Py4JJavaError

        java: Any = self.context._jvm  # the only way to our classes
        try:
            text = java.fraudstream.query.spark.QueryRun.run(
                self.context._jsc, orjson.dumps(job).decode("utf-8", "surrogatepass")
            )
        except Py4JJavaError as error:
            raise FraudstreamError(f"The query could not be run: {_cause(error.java_exception)}") from error
        except Py4JError as error:
            raise FraudstreamError(f"Spark ended while the query ran: {error_text(error)}") from error
        report: dict[str, Any] = orjson.loads(text)
        return report

    def new_folder(self, name: str) -> Path:
        """A new folder in ``scratch``."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.scratch))


def _cause(error: Any) -> str:
    """The message of the error behind those of Spark, which repeat it with its stack."""
    while error.getCause() is not None and str(error.getClass().getName()).startswith(_SPARK_CLASSES):
        error = error.getCause()
    if error.getMessage():
        return str(error.getMessage())
    # Without a message the place says most.
    frames = [str(frame) for frame in error.getStackTrace()]
    return " at ".join([str(error.toString()), *frames[:1]])


@contextmanager
def query_session(
    *, has_scripts: bool = False, has_models: bool = False, allows_python: bool = False
) -> Iterator[QuerySession]:
    """A session that ends with the block.

    One that ``has_scripts`` can run JavaScript, one that ``has_models`` the champion of the project in force, and one
    that ``allows_python`` functions in Python.

    Raises :class:`FraudstreamError` where Java or Spark does not start.
    """
    from fraudstream.runtime.parts.local import spark_job_environment
    from fraudstream.spark.contract_file import contract_jar
    from fraudstream.spark.session import JARS_VARIABLE

    with tempfile.TemporaryDirectory(prefix="fraudstream-query-") as folder:
        scratch = Path(folder)
        settings = load_settings().model_copy(update={"data_dir": scratch})
        log = scratch / "spark.log"
        variables = spark_job_environment(settings)
        if has_scripts:
            # Behind the others: Java's class archive fits as far as it goes.
            variables[JARS_VARIABLE] = os.pathsep.join([variables[JARS_VARIABLE], *map(str, javascript_jars())])
        if has_models:
            contract = contract_jar(scratch / "contract")
            variables[JARS_VARIABLE] = os.pathsep.join([variables[JARS_VARIABLE], str(contract)])
        with environment.in_force(variables), stderr_into(log):
            context = _started(settings, scratch, log)
        try:
            yield QuerySession(context, scratch, allows_python=allows_python)
        finally:
            stop_context(context)


def _started(settings: Settings, scratch: Path, log: Path) -> SparkContext:
    from fraudstream.asaql.running.spark_context import started

    try:
        return started(settings, scratch)
    except Exception as error:
        lines = log.read_text("utf-8", "replace").strip().splitlines() if log.exists() else []
        last = f" Java's last line: {lines[-1]}" if lines else ""
        raise FraudstreamError(
            f"Spark could not be started ({error_text(error)}).{last} `fraudstream doctor` checks Java and memory."
        ) from error


@contextmanager
def stderr_into(log: Path) -> Iterator[None]:
    """What the processes that the block starts write to stderr goes to a file: Spark greets on it, whatever is set."""
    sys.stderr.flush()
    kept = os.dup(_STDERR)
    try:
        with log.open("ab") as file:
            os.dup2(file.fileno(), _STDERR)
        yield
    finally:
        os.dup2(kept, _STDERR)
        os.close(kept)


def stop_context(context: SparkContext) -> None:
    """End Spark and its Java process, whatever state they are in. This process may start another Spark then."""
    gateway: Any = context._gateway
    process = getattr(gateway, "proc", None)
    # A Java process that has died cannot be stopped; the error under way says what happened to it.
    with contextlib.suppress(Exception):
        context.stop()
    with contextlib.suppress(Exception):
        gateway.shutdown()
    if process is not None:
        # Java ends when its input does.
        with contextlib.suppress(OSError):
            process.stdin.close()
    # PySpark keeps them for the next context, which would speak to a process that is gone.
    type(context)._gateway = type(context)._jvm = None
