"""Spark's classes as an archive: later starts map it into memory instead of loading and checking each class.

``python -m fraudstream.runtime.parts.class_archive [--into FILE]`` makes it and prints its path. Java's class data
sharing does the work (JEP 350); Java ignores an archive that does not fit the class path.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fraudstream.core.configuration.settings import Settings, load_settings
from fraudstream.core.contract.topics import TRANSACTIONS
from fraudstream.core.errors import FraudstreamError
from fraudstream.core.process import environment, folders
from fraudstream.runtime.own_command import started
from fraudstream.runtime.parts.artifacts import cache_dir
from fraudstream.runtime.parts.java import find_java
from fraudstream.spark.session import (
    JARS_VARIABLE,
    checkpoint_options,
    java_options,
    read_topics,
    spark_class_path,
    spark_session,
)
from fraudstream.spark.validation import validate

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_NICENESS = 19
_WORKING_SECONDS = 120
_SAVING_SECONDS = 180
# Each installation has its own archive, of about 150 MB.
_ARCHIVES_KEPT = 3


def archive_file(jars: str) -> Path:
    """The archive's path for this Java, this installation of Spark and further ``jars`` (a class path)."""
    digest = hashlib.sha256(str(find_java()).encode())
    for jar in spark_class_path(jars):
        status = jar.stat()
        digest.update(f"{jar} {status.st_size} {status.st_mtime_ns}\n".encode())
    return cache_dir() / "jvm" / f"spark-{digest.hexdigest()[:16]}.jsa"


def mapped(archive: Path) -> str:
    """The value of ``-XX:SharedArchiveFile``: the archive, after the base archive if we had to make that too."""
    base = _base(archive)
    return f"{base}{os.pathsep}{archive}" if folders.exists(base) else str(archive)


@contextmanager
def building(variables: dict[str, str], *, nice: bool) -> Iterator[subprocess.Popen[bytes] | None]:
    """Make the archive in a process of its own, which ends with the block; None if the archive exists.

    ``variables`` are those of a command that starts Spark, with the jars in it. ``nice`` gives it the lowest priority.
    """
    if folders.exists(archive_file(variables[JARS_VARIABLE])):
        yield None
        return
    quiet = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
    with started([sys.executable, "-m", "fraudstream.runtime.parts.class_archive"], env=variables, **quiet) as process:
        if nice:
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
        yield process


def build(settings: Settings, archive: Path) -> None:
    """Run a small Spark job that works as ours do, and archive the classes that it loads."""
    partial = archive.with_name(f"{archive.name}.{os.getpid()}")
    partial.parent.mkdir(parents=True, exist_ok=True)
    options = java_options(settings, *_base_options(archive), f"-XX:ArchiveClassesAtExit={partial}")
    spark = spark_session(
        settings, "archive", **checkpoint_options(settings), **{"spark.driver.extraJavaOptions": options}
    )
    gateway: Any = spark.sparkContext._gateway
    try:
        try:
            _work(spark, settings)
        finally:
            spark.stop()
            # Java saves the archive at its end, and it ends when its input is closed.
            gateway.shutdown()
            gateway.proc.stdin.close()
            status = gateway.proc.wait(_SAVING_SECONDS)
        if not partial.exists():
            raise FraudstreamError(f"Java ended with status {status} and without the archive {partial}.")
        partial.replace(archive)
    finally:
        partial.unlink(missing_ok=True)


def _base(archive: Path) -> Path:
    return archive.with_suffix(".base.jsa")


def _base_options(archive: Path) -> list[str]:
    """The option for the base archive, of Java's own classes, on which ours builds.

    Empty if the runtime brings a base archive; the wheel's does not, and then it is made.
    """
    java = find_java()
    if (java.library.parent / "classes.jsa").exists():
        return []
    base = _base(archive)
    if not base.exists():
        command = [str(java.executable), "-Xshare:dump", f"-XX:SharedArchiveFile={base}"]
        dump = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SAVING_SECONDS,
            env=environment.made(os.environ),
        )
        if dump.returncode:
            raise FraudstreamError(f"Java could not archive its own classes: {dump.stdout}{dump.stderr}"[-1000:])
    return [f"-XX:SharedArchiveFile={base}"]


def _work(spark: SparkSession, settings: Settings) -> None:
    """A stream with the contract's checks, state and a Python function over records that look like Kafka's."""
    # This loads the connector's classes; no broker needs to answer.
    read_topics(spark, settings, TRANSACTIONS)
    records = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 10).load()
    rows = records.selectExpr(
        "'transactions' AS topic",
        "0 AS partition",
        "value AS offset",
        "timestamp",
        "CAST(CAST(value AS STRING) AS BINARY) AS key",
        "CAST(CAST(value AS STRING) AS BINARY) AS value",
    )
    counted = validate(rows).withWatermark("timestamp", "1 hour").groupBy("reason", "topic").count()
    worked = threading.Event()

    def touch(batch: DataFrame, _: int) -> None:
        batch.coalesce(1).mapInArrow(lambda batches: batches, batch.schema).collect()
        worked.set()

    with tempfile.TemporaryDirectory(prefix="fraudstream-archive-") as checkpoint:
        query = counted.writeStream.outputMode("update").option("checkpointLocation", checkpoint).foreachBatch(touch)
        running = query.start()
        worked.wait(_WORKING_SECONDS)
        running.stop()
    if not worked.is_set():
        raise FraudstreamError(f"Spark worked on no batch within {_WORKING_SECONDS} s: {running.exception()}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the archive and print its path; returns the exit status."""
    parser = argparse.ArgumentParser(prog="fraudstream-class-archive", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--into", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    try:
        archive = options.into or archive_file(os.environ[JARS_VARIABLE])
        build(load_settings(), archive)
    except FraudstreamError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    archives = [file for file in archive.parent.glob("spark-*.jsa") if not file.name.endswith(".base.jsa")]
    for old in sorted(archives, key=lambda file: file.stat().st_mtime)[:-_ARCHIVES_KEPT]:
        old.unlink(missing_ok=True)
        _base(old).unlink(missing_ok=True)
    sys.stdout.write(f"{archive}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
