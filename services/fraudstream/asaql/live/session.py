"""Spark on this machine for a live query."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fraudstream.asaql.live.job import LiveHooks
from fraudstream.asaql.live.plans import LivePlan
from fraudstream.asaql.running.champion import champion
from fraudstream.asaql.running.javascript import javascript_jars
from fraudstream.asaql.running.session import QuerySession, stderr_into, stop_context
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import FraudstreamError
from fraudstream.core.output.text import error_text
from fraudstream.core.process import environment

_NAME = "query"
_FUNCTIONS = "fraudstream.query.scoring.RunFunctions"


@contextmanager
def live_session(settings: Settings, *, has_scripts: bool = False) -> Iterator[QuerySession]:
    """A session that ends with the block; one that ``has_scripts`` can run JavaScript.

    Raises :class:`FraudstreamError` where Java or Spark does not start.
    """
    from fraudstream.runtime.parts.local import spark_job_environment
    from fraudstream.spark.session import JARS_VARIABLE, checkpoint_options, spark_session

    with tempfile.TemporaryDirectory(prefix="fraudstream-live-") as scratch:
        variables = spark_job_environment(settings)
        if has_scripts:
            # Behind the others: Java's class archive fits as far as it goes.
            variables[JARS_VARIABLE] = os.pathsep.join([variables[JARS_VARIABLE], *map(str, javascript_jars())])
        log = Path(scratch) / "spark.log"
        with environment.in_force(variables), stderr_into(log):
            try:
                spark = spark_session(settings, _NAME, **checkpoint_options(settings))
            except Exception as error:
                if isinstance(error, FraudstreamError):
                    raise
                raise FraudstreamError(
                    f"Spark could not be started ({error_text(error)}). `fraudstream doctor` checks Java and memory."
                ) from error
        try:
            yield QuerySession(spark.sparkContext, Path(scratch))
        finally:
            stop_context(spark.sparkContext)


def live_hooks(session: QuerySession, plan: LivePlan, folder: Path) -> LiveHooks:
    """What answers the query's calls of the model: the champion of now, whose query lies in ``folder``.

    Raises :class:`ModelError` where there is no champion to score with, :class:`RegistryUnavailable`.
    """
    if not plan.answered:
        return LiveHooks()
    trees = champion(session, folder, plan.answered)
    return LiveHooks(functions=_FUNCTIONS, functions_argument={**plan.scripts, "champion": trees})
