"""Spark's classes as an archive, which later starts map into memory instead of loading and checking them one by one.

``python -m fraudstream.runtime.class_archive`` makes it, against the running broker, and prints its place. Java's own
class data sharing does the work (JEP 350); it ignores an archive that does not fit the class path.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fraudstream.core.errors import FraudstreamError
from fraudstream.core.settings import Settings, load_settings
from fraudstream.core.spark import JARS_VARIABLE, checkpoint_options, read_topics, spark_session
from fraudstream.core.topics import LABELS, TRANSACTIONS
from fraudstream.core.validation import validate
from fraudstream.runtime.artifacts import cache_dir
from fraudstream.runtime.java import find_java

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_NICENESS = 19
_SAVING_SECONDS = 180
# Each installation has an archive of its own, of some 150 MB.
_ARCHIVES_KEPT = 3


def archive_file(jars: str) -> Path:
    """Where the archive for this Java, this installation of Spark and further ``jars`` (comma separated) is kept."""
    import pyspark

    digest = hashlib.sha256(str(find_java()).encode())
    for jar in [*map(Path, jars.split(",")), *sorted((Path(pyspark.__file__).parent / "jars").glob("*.jar"))]:
        found = jar.stat()
        digest.update(f"{jar} {found.st_size} {found.st_mtime_ns}\n".encode())
    return cache_dir() / "jvm" / f"spark-{digest.hexdigest()[:16]}.jsa"


@contextmanager
def building(environment: dict[str, str], *, nice: bool) -> Iterator[subprocess.Popen[bytes] | None]:
    """The archive in the making, where there is none yet; ended with the block.

    ``environment`` is that of a command that starts Spark, with the jars in it; ``nice``: at the least priority.
    """
    if archive_file(environment[JARS_VARIABLE]).exists():
        yield None
        return
    process = subprocess.Popen(
        [sys.executable, "-m", "fraudstream.runtime.class_archive"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    with contextlib.suppress(OSError):
        if nice:
            os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


def build(settings: Settings) -> Path:
    """Run a small Spark job that does what ours do, and archive the classes that it loaded."""
    archive = archive_file(os.environ[JARS_VARIABLE])
    partial = archive.with_name(f"{archive.name}.{os.getpid()}")
    partial.parent.mkdir(parents=True, exist_ok=True)
    options = f"{settings.driver_java_options} -XX:ArchiveClassesAtExit={partial}"
    spark = spark_session(
        settings, "archive", **checkpoint_options(settings), **{"spark.driver.extraJavaOptions": options}
    )
    gateway: Any = spark.sparkContext._gateway
    try:
        rows = read_topics(spark, settings, TRANSACTIONS, LABELS)
        counted = validate(rows).withWatermark("timestamp", "1 hour").groupBy("reason", "topic").count()

        def touch(batch: DataFrame, _: int) -> None:
            batch.coalesce(1).mapInArrow(lambda batches: batches, batch.schema).collect()

        stream = counted.writeStream.outputMode("update").trigger(availableNow=True).foreachBatch(touch).start()
        stream.awaitTermination()
    finally:
        spark.stop()
        # Java saves the archive when it ends, which it does once its input is closed.
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait(_SAVING_SECONDS)
    if not partial.exists():
        raise FraudstreamError(f"Java ended with status {gateway.proc.returncode} and without the archive {partial}.")
    partial.replace(archive)
    for old in sorted(archive.parent.glob("spark-*.jsa"), key=lambda one: one.stat().st_mtime)[:-_ARCHIVES_KEPT]:
        old.unlink(missing_ok=True)
    return archive


if __name__ == "__main__":
    sys.stdout.write(f"{build(load_settings())}\n")
