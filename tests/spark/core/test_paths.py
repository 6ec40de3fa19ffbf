"""Folders with any name that a file system takes, written to and read by Spark."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fraudstream.core.configuration.settings import Settings
from fraudstream.spark.session import file_pattern, file_uri, java_options, quoted

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.timeless

NAMES = ["données José", "Doe, Jane", "50%25 #1", "o'neil (1)", 'a"b', "a$b;c!d=e&f[1]{2}", "q\\r", "日本", "*?~"]


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_is_written_to_and_read(spark: SparkSession, tmp_path: Path, name: str) -> None:
    folder = tmp_path / name / "rows"
    spark.range(3).coalesce(1).write.parquet(file_uri(folder))
    assert [path for path in folder.iterdir() if path.suffix == ".parquet"]
    assert spark.read.parquet(file_pattern(folder)).count() == 3
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", NAMES)
def test_sparks_launcher_takes_options_apart_as_they_were(spark: SparkSession, name: str) -> None:
    options = [f"-Dplace=/{name}/x", "-Xss4m"]
    jvm, gateway = spark._jvm, spark.sparkContext._gateway
    assert jvm is not None
    assert gateway is not None
    # Package-private in Spark's launcher, hence by reflection.
    text = gateway.new_array(jvm.java.lang.Class, 1)
    text[0] = jvm.java.lang.Class.forName("java.lang.String")
    utilities = jvm.java.lang.Class.forName("org.apache.spark.launcher.CommandBuilderUtils")
    parse = utilities.getDeclaredMethod("parseOptionString", text)
    parse.setAccessible(True)
    given = gateway.new_array(jvm.java.lang.Object, 1)
    given[0] = " ".join(map(quoted, options))
    assert list(parse.invoke(None, given)) == options


def test_what_a_user_says_of_java_comes_after_what_we_say() -> None:
    settings = Settings(driver_java_options="-Duser.language=fr")
    words = java_options(settings, "-Xshare:auto").split()
    assert words.index("-Duser.language=fr") > words.index("-Duser.language=en")
