"""What every Spark process shares: its session, and its Kafka source."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, chdir, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kafka import TopicPartition

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.kafka.clients import spark_sink_options, spark_source_options
from fraudstream.core.kafka.progress import end_offsets, written_offsets
from fraudstream.core.process import environment, places
from fraudstream.core.streaming.checkpoints import Checkpoint
from fraudstream.core.streaming.fit import QUERIES, TopicState, starts_after
from fraudstream.spark.contract_file import contract_jar
from fraudstream.spark.lost_sessions import polled_records
from fraudstream.spark.workers import MODULES_VARIABLE

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.streaming.query import StreamingQuery

    from fraudstream.spark.probing import Range

# Jars that a launcher has fetched already, as a class path; without it Spark's own class path has to hold them.
JARS_VARIABLE = "FRAUDSTREAM_SPARK_JARS"
# An archive of Spark's classes that a launcher has made for these jars; before it, if need be, that of Java's own.
ARCHIVE_VARIABLE = "FRAUDSTREAM_SPARK_CLASS_ARCHIVE"

_KAFKA_PREFIX = "kafka."
# For how long opening a producer waits for the broker.
_MOST_BLOCK_MS = 5_000


# 20,000 ordinary events take two thirds of it.
_MOST_BATCH_BYTES = 16 * 1024 * 1024
# Linux takes 128 KiB as one argument of a command.
_LONGEST_CLASS_PATH = 100_000


def spark_class_path(jars: str = "") -> list[Path]:
    """Further ``jars`` (a class path) and all of PySpark's own, each once and in the same order at every start.

    Spark itself names one of its jars before the folder that holds it. Java's class archive keeps the second mention
    out of the class path that it was made with, and then does not fit the one that it is given (seen in Java 21).
    """
    # Importing PySpark takes most of a second, at every start.
    package = importlib.util.find_spec("pyspark")
    folders = (package and package.submodule_search_locations) or ()
    own = [jar for folder in folders for jar in Path(folder, "jars").glob("*.jar")]
    # As Spark has it: other jars hold older copies of that one.
    own.sort(key=lambda jar: (not jar.name.startswith("slf4j-api-"), jar.name))
    return [*(Path(jar) for jar in jars.split(os.pathsep) if jar), *own]


def spark_session(settings: Settings, name: str, **options: str) -> SparkSession:
    """A session in UTC without web UI, on ``spark_master``, else on two local cores."""
    from pyspark.sql import SparkSession

    scratch = (settings.data_dir / "spark" / name).absolute()
    launched: AbstractContextManager[None] = nullcontext()
    if "," in str(scratch) and not settings.spark_master:
        # Spark takes the text for a list of folders: it is started in this one and told no name.
        scratch.mkdir(parents=True, exist_ok=True)
        launched, scratch = chdir(scratch), Path()
    defaults = {
        "spark.master": settings.spark_master or "local[2]",
        "spark.driver.memory": settings.driver_memory,
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.session.timeZone": "UTC",
        # Plans and errors repeat the options of sources and sinks: the sign-in is one of Kafka's.
        "spark.redaction.regex": "(?i)secret|password|token|access[.]?key|jaas",
        "spark.sql.shuffle.partitions": str(settings.shuffle_partitions),
        "spark.sql.adaptive.enabled": "false",
        # What a Python worker is given at once: by rows alone, large events would fill its memory.
        "spark.sql.execution.arrow.maxRecordsPerBatch": "20000",
        "spark.sql.execution.arrow.maxBytesPerBatch": str(_MOST_BATCH_BYTES),
        "spark.sql.streaming.noDataMicroBatches.enabled": "false",
        "spark.sql.streaming.minBatchesToRetain": "10",
        "spark.sql.streaming.stateStore.providerClass": (
            "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider"
        ),
        "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true",
        "spark.sql.streaming.stateStore.rocksdb.boundedMemoryUsage": "true",
        "spark.sql.streaming.stateStore.rocksdb.maxMemoryUsageMB": "128",
        "spark.cleaner.periodicGC.interval": "15min",
        "spark.python.daemon.module": "fraudstream.spark.workers",
        "spark.sql.warehouse.dir": str((settings.data_dir / "spark" / "warehouse").absolute()),
        "spark.local.dir": str(scratch),
    }
    jars = os.environ.get(JARS_VARIABLE, "")
    # Behind all others: Java's class archive fits any contract then.
    contract = str(contract_jar(settings.data_dir.absolute() / "spark" / "contract"))
    if not settings.spark_master:
        every = os.pathsep.join(map(str, spark_class_path(jars)))
        jars = every if os.name == "posix" and len(os.fsencode(every)) <= _LONGEST_CLASS_PATH else jars
    jars = os.pathsep.join(filter(None, (jars, contract)))
    if jars:
        defaults["spark.driver.extraClassPath"] = jars
        # A session on this machine has them by now, where `spark.jars` would copy them first.
        if settings.spark_master:
            defaults["spark.jars"] = jars.replace(os.pathsep, ",")
    builder = SparkSession.builder.appName(f"fraudstream-{name}")
    with environment.in_force(_launch_variables(settings)), launched:
        defaults["spark.driver.extraJavaOptions"] = java_options(settings, *_archive_options())
        for key, value in (defaults | options).items():
            builder = builder.config(key, value)
        if places.known_user() is None:
            _sign_in(defaults | options)
        session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return session


def file_uri(folder: Path) -> str:
    """A file or folder of this machine as Hadoop takes it for writing: a URI without escapes, which it would keep."""
    return f"file:///{folder.absolute().as_posix().lstrip('/')}"


def file_pattern(folder: Path) -> str:
    """The same for reading, where brackets, braces, ``*``, ``?`` and backslashes would stand for other names."""
    return re.sub(r"[\\{}\[\]*?]", r"\\\g<0>", file_uri(folder))


def java_options(settings: Settings, *further: str) -> str:
    """The options of a Spark process's Java as one text, as Spark's launcher takes them apart again."""
    properties = map(quoted, environment.java_properties(environment.made(os.environ)))
    return " ".join([*properties, settings.driver_java_options, *map(quoted, further)]).strip()


def quoted(option: str) -> str:
    """A Java option as it stands in a text of several, which Spark's launcher takes apart as a shell would."""
    escaped = option.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"' if escaped != option or re.search(r"[\s']", option) else option


def _archive_options() -> list[str]:
    archive = os.environ.get(ARCHIVE_VARIABLE)
    # Silent where it does not fit: the classes are loaded one by one then, as without it.
    return [f"-XX:SharedArchiveFile={archive}", "-Xlog:cds=off", "-Xlog:cds+dynamic=off"] if archive else []


def _launch_variables(settings: Settings) -> dict[str, str]:
    """What Spark's own scripts and workers read; a cluster's driver may be told otherwise."""
    import pyspark

    own = {"SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
    if settings.spark_master:
        own = {name: os.environ.get(name, value) for name, value in own.items()}
    return own | {
        "SPARK_HOME": str(Path(pyspark.__file__).parent),
        "FRAUDSTREAM_SPARK_MASTER": settings.spark_master,
        environment.DATA_DIR_VARIABLE: str(settings.data_dir.absolute()),
    }


def _sign_in(options: Mapping[str, str]) -> None:
    """Give Hadoop a user: for a user without a name in the system, Hadoop would fail."""
    from pyspark import SparkConf, SparkContext

    conf = SparkConf(loadDefaults=False).setAll(list(options.items()))
    SparkContext._ensure_initialized(conf=conf)
    users = SparkContext._jvm.org.apache.hadoop.security.UserGroupInformation  # type: ignore[union-attr]
    users.setLoginUser(users.createRemoteUser(environment.made(os.environ)["USER"]))


def worker_options(modules: Sequence[str]) -> dict[str, str]:
    """Further session options: what the job's Python workers import before they are forked, not each by itself."""
    return {f"spark.executorEnv.{MODULES_VARIABLE}": ",".join(modules)}


def checkpoint_options(settings: Settings) -> dict[str, str]:
    """Further session options of a streaming job: checkpoints on this machine that start no process for each file."""
    if settings.spark_master:
        return {}
    return {
        "spark.hadoop.fs.file.impl": "fraudstream.spark.LocalFiles",
        "spark.sql.streaming.checkpointFileManagerClass": (
            "org.apache.spark.sql.execution.streaming.checkpointing.FileSystemBasedCheckpointFileManager"
        ),
    }


def open_producer(spark: SparkSession, settings: Settings, topic: str) -> None:
    """Open a Kafka producer in Spark's process and ask for the topic's partitions, so that its classes are loaded.

    The sink opens its own with the first record. Raises Py4J's errors.
    """
    java = spark._jvm  # none of the public methods reaches Kafka's client
    options = java.java.util.HashMap()  # type: ignore[union-attr]
    for name, value in spark_sink_options(settings).items():
        if name.startswith(_KAFKA_PREFIX):
            options.put(name.removeprefix(_KAFKA_PREFIX), value)
    for role in ("key", "value"):
        options.put(f"{role}.serializer", "org.apache.kafka.common.serialization.ByteArraySerializer")
    options.put("max.block.ms", str(_MOST_BLOCK_MS))
    producer = java.org.apache.kafka.clients.producer.KafkaProducer(options)  # type: ignore[union-attr]
    try:
        producer.partitionsFor(topic)
    finally:
        producer.close(java.java.time.Duration.ZERO)  # type: ignore[union-attr]


def read_topics(
    spark: SparkSession,
    settings: Settings,
    *topics: str,
    at_most: int | None = None,
    starts: Mapping[TopicPartition, int] | Literal["earliest", "latest"] = "earliest",
    polled: int | None = None,
) -> DataFrame:
    """The topics from ``starts`` on, if any; a query that resumes starts where its checkpoint says.

    ``at_most``: the most records of a batch; real-time mode takes no such number. ``polled``: the most of a poll.
    """
    written = starts if isinstance(starts, str) else written_offsets(starts) if starts else "earliest"
    reader = (
        spark.readStream.format("kafka")
        .options(**spark_source_options(settings, polled))
        .option("subscribe", ",".join(topics))
        .option("startingOffsets", written)
    )
    return (reader if at_most is None else reader.option("maxOffsetsPerTrigger", at_most)).load()


def read_on(
    spark: SparkSession, settings: Settings, checkpoint: Checkpoint, topics: TopicState, at_most: int | None
) -> DataFrame:
    """What the checkpoint's query reads from where it stands; a few records at a time where they have ended a process.

    Raises :class:`CheckpointMisfit` where Spark's files cannot be read.
    """
    return read_topics(
        spark,
        settings,
        *QUERIES[checkpoint.query][1],
        at_most=at_most,
        starts=starts_after(checkpoint, topics, ()),
        polled=polled_records(checkpoint),
    )


def read_ranges(spark: SparkSession, settings: Settings, ranges: Sequence[Range], polled: int | None) -> DataFrame:
    """The records of ``ranges``, each partition once, as a batch; ``polled`` of them at most in one poll."""
    starts = {records.partition: records.start for records in ranges}
    return (
        spark.read.format("kafka")
        .options(**spark_source_options(settings, polled))
        .option("assign", json.dumps(assigned(starts)))
        .option("startingOffsets", written_offsets(starts))
        .option("endingOffsets", written_offsets({records.partition: records.end for records in ranges}))
        .load()
    )


def assigned(partitions: Iterable[TopicPartition]) -> dict[str, list[int]]:
    """The partitions by topic, as Spark's option ``assign`` takes them."""
    by_topic: dict[str, list[int]] = {}
    for part in partitions:
        by_topic.setdefault(part.topic, []).append(part.partition)
    return by_topic


def has_ended(spark: SparkSession) -> bool:
    """Whether the session's Java process is gone: a call to it then reports a refused connection only."""
    process = getattr(spark.sparkContext._gateway, "proc", None)
    return process is not None and process.poll() is not None


def finished_offsets(settings: Settings, name: str, query: StreamingQuery) -> dict[TopicPartition, int]:
    """Up to which offsets a query in micro-batches has processed its input; ``name`` is its checkpoint's.

    A query without a batch so far stands where its checkpoint does, which may have been moved past all records.
    Raises :class:`CheckpointMisfit`.
    """
    return end_offsets(query.lastProgress) or Checkpoint.of(settings, name).committed()


def is_idle(query: StreamingQuery) -> bool:
    """Whether a query in micro-batches has found nothing left to do."""
    status = query.status
    return not status["isDataAvailable"] and not status["isTriggerActive"]
