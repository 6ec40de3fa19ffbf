"""Which archive of Spark's classes a start takes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fraudstream.runtime.parts import class_archive
from fraudstream.spark.session import JARS_VARIABLE, spark_class_path


@pytest.fixture
def jar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FRAUDSTREAM_CACHE_DIR", str(tmp_path / "cache"))
    file = tmp_path / "ours.jar"
    file.write_bytes(b"one")
    return file


def test_it_is_the_same_for_the_same_jars(jar: Path, tmp_path: Path) -> None:
    archive = class_archive.archive_file(str(jar))
    assert archive == class_archive.archive_file(str(jar))
    assert archive.parent == tmp_path / "cache" / "jvm"


def test_a_jar_that_changed_asks_for_another_one(jar: Path) -> None:
    before = class_archive.archive_file(str(jar))
    jar.write_bytes(b"another")
    assert class_archive.archive_file(str(jar)) != before
    os.utime(jar, ns=(1, 1))
    by_time = class_archive.archive_file(str(jar))
    os.utime(jar, ns=(2, 2))
    assert class_archive.archive_file(str(jar)) != by_time


def test_every_start_has_each_jar_once_and_in_one_order(jar: Path) -> None:
    class_path = spark_class_path(str(jar))
    assert class_path == spark_class_path(str(jar))
    assert class_path[0] == jar
    assert class_path[1].name.startswith("slf4j-api-")
    own = class_path[1].parent
    assert sorted(class_path[1:]) == sorted(own.glob("*.jar"))
    assert [file.name for file in class_path[2:]] == sorted(file.name for file in class_path[2:])


def test_nothing_is_built_where_there_is_one(jar: Path) -> None:
    archive = class_archive.archive_file(str(jar))
    archive.parent.mkdir(parents=True)
    archive.touch()
    with class_archive.building({JARS_VARIABLE: str(jar)}, nice=False) as process:
        assert process is None


def test_a_build_ends_with_its_block(jar: Path) -> None:
    environment = {**os.environ, JARS_VARIABLE: str(jar)}
    with class_archive.building(environment, nice=True) as process:
        assert process is not None
        assert process.poll() is None
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == 19
    assert process.returncode is not None
