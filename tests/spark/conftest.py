"""One Spark session for all tests of a worker; it runs on any Java that the project itself would use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from fraudstream.core.configuration.settings import Settings
from fraudstream.runtime.parts.java import find_java
from fraudstream.runtime.parts.jvm_libraries import SPARK, ensure
from fraudstream.spark.session import JARS_VARIABLE, spark_session
from fraudstream.store.rollups import SESSION_OPTIONS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture(scope="package")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    os.environ["JAVA_HOME"] = str(find_java().home)
    os.environ[JARS_VARIABLE] = str(ensure(SPARK))
    # All tests share the process, some with 120,000 rows at once.
    settings = Settings(data_dir=tmp_path_factory.mktemp("spark"), driver_memory="2g")
    session = spark_session(settings, "tests", **SESSION_OPTIONS)
    yield session
    session.stop()
