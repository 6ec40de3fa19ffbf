"""The project's query as the stream job runs it: compiled while Spark starts, and given to its Java process."""

from __future__ import annotations

import re
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import structlog

from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.strategies.job_file import calls_scripts, job_file
from fraudstream.asaql.strategies.job_query import JobQuery, job_query
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import PROJECT
from fraudstream.core.contract.topics import REJECTED, SCORED

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# As ProjectQuery.java says it.
_REFUSED = re.compile(r"fraudstream: the query cannot be run: (\d+):(\d+): ([^\n]*)")
_JAVASCRIPT = "fraudstream.query.javascript.JavaScript"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class StreamQuery:
    """What the job has to know of the query.

    ``file``: the compiled query, None where each record is scored or rejected and nothing else. ``topics``: where its
    records go. ``scores``: whether the model is asked. ``compiled``: the whole query, None where there is no file.
    """

    file: Path | None = None
    topics: tuple[str, ...] = (SCORED, REJECTED)
    scores: bool = True
    compiled: JobQuery | None = None

    @property
    def has_python(self) -> bool:
        """Whether it may call functions in Python."""
        if self.compiled is None or self.compiled.plan is None:
            return False
        from fraudstream.asaql.strategies.python_functions import calls_python

        return calls_python(self.compiled)

    def require_remote(self) -> None:
        """Raise :class:`QueryError` where the scoring service cannot answer what the query asks."""
        if self.compiled is not None and self.scores:
            self.compiled.require_remote()


# Each record is scored or rejected, as it is without a query of the project's own.
PLAIN = StreamQuery()


class Compiling:
    """The project's query, which a thread compiles."""

    def __init__(self) -> None:
        self._result: Future[JobQuery] = Future()
        Thread(target=self._compile, name="compiling", daemon=True).start()

    def _compile(self) -> None:
        try:
            self._result.set_result(job_query(PROJECT))
        except BaseException as error:
            self._result.set_exception(error)

    def result(self, settings: Settings) -> StreamQuery:
        """The query, in a file of the data folder.

        Raises :class:`QueryError` for what is not in the language, at its place, for a call of the model that the
        scoring service cannot answer, and for a function in Python that the settings do not allow;
        :class:`ConfigurationError` for files that cannot be used.
        """
        return stream_query(self._result.result(), settings)


def stream_query(query: JobQuery, settings: Settings) -> StreamQuery:
    """A compiled query as the job runs it. Raises as :meth:`Compiling.result` does."""
    if settings.scoring == "remote" and query.scores:
        query.require_remote()
    _require_python(query, settings)
    for output in query.outputs:
        log.info("output_runs", output=output.name, topic=output.topic, strategy=output.strategy, why=output.why)
    if query.is_plain:
        return PLAIN
    folder = settings.data_dir.absolute() / "spark" / "query"
    return StreamQuery(job_file(folder, query), query.topics, query.scores, query)


def _require_python(query: JobQuery, settings: Settings) -> None:
    if query.plan is None:
        return
    from fraudstream.asaql.strategies.python_functions import require_python_allowed

    require_python_allowed(query, is_allowed=settings.query_python)


def refusal(error: Exception, query: StreamQuery) -> QueryError | None:
    """What an error of Spark's says of the query itself, such as of a script that is no JavaScript; None for others."""
    found = _REFUSED.search(str(error))
    if found is None or query.compiled is None:
        return None
    return QueryError(found[3].strip(), int(found[1]), int(found[2]), str(query.compiled.files.query_file))


def add_javascript(spark: SparkSession, query: StreamQuery) -> None:
    """Bring the interpreter of JavaScript to Spark's processes if the query calls scripts and they lack it.

    Raises :class:`ArtifactError` where it cannot be fetched.
    """
    if query.compiled is None or not _calls_scripts(query.compiled):
        return
    from py4j.protocol import Py4JJavaError

    try:
        spark._jvm.org.apache.spark.util.Utils.classForName(_JAVASCRIPT, False, False)  # type: ignore[union-attr]
    except Py4JJavaError:
        from fraudstream.asaql.running.javascript import javascript_jars

        resources = spark._jsparkSession.sessionState().resourceLoader()
        for jar in javascript_jars():
            # For the tasks and for this thread, which `SparkContext.addJar` would leave out.
            resources.addJar(str(jar))


def _calls_scripts(query: JobQuery) -> bool:
    """Whether rows or windows call functions in JavaScript."""
    if calls_scripts(query):
        return True
    if not query.has_windows:
        return False
    from fraudstream.stream.windows import windows_plan

    return bool(windows_plan(query).scripts)
