"""Spark's context on this machine, without the SQL session: that takes as long again to start, and few queries need it.

The set-up is that of ``fraudstream.spark.session``, as far as a context has one.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.process import environment, places
from fraudstream.spark.session import ARCHIVE_VARIABLE, JARS_VARIABLE, java_options, spark_class_path

if TYPE_CHECKING:
    from pyspark import SparkConf, SparkContext

_LEAST_PROCESSORS, _MOST_PROCESSORS = 2, 8


def started(settings: Settings, scratch: Path) -> SparkContext:
    """A context in the environment that is in force, which names the jars. Raises what PySpark raises."""
    import pyspark
    from pyspark import SparkConf, SparkContext

    variables = {
        "SPARK_HOME": str(Path(pyspark.__file__).parent),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "PYSPARK_PYTHON": sys.executable,
    }
    with environment.in_force(variables):
        conf = SparkConf(loadDefaults=False).setAll(list(_options(settings, scratch).items()))
        if places.known_user() is None:
            _sign_in(conf)
        context = SparkContext(conf=conf)
    context.setLogLevel("ERROR")
    return context


def _options(settings: Settings, scratch: Path) -> dict[str, str]:
    processors = min(max(os.cpu_count() or 1, _LEAST_PROCESSORS), _MOST_PROCESSORS)
    archive = os.environ.get(ARCHIVE_VARIABLE)
    shared = [f"-XX:SharedArchiveFile={archive}", "-Xlog:cds=off", "-Xlog:cds+dynamic=off"] if archive else []
    return {
        "spark.app.name": "fraudstream-query",
        "spark.master": f"local[{processors}]",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": settings.driver_memory,
        "spark.driver.extraClassPath": os.pathsep.join(map(str, spark_class_path(os.environ[JARS_VARIABLE]))),
        "spark.driver.extraJavaOptions": java_options(settings, *shared),
        "spark.local.dir": str(scratch / "spark"),
        "spark.serializer": "org.apache.spark.serializer.KryoSerializer",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        "spark.task.maxFailures": "1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }


def _sign_in(conf: SparkConf) -> None:
    """Give Hadoop a user: for a user without a name in the system, Hadoop would fail."""
    from pyspark import SparkContext

    SparkContext._ensure_initialized(conf=conf)
    java: Any = SparkContext._jvm
    users = java.org.apache.hadoop.security.UserGroupInformation
    users.setLoginUser(users.createRemoteUser(environment.made(os.environ)["USER"]))
