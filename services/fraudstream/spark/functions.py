"""Our functions in Spark's Java process, from ``services/jvm``: the event contract, the records, the model's trees.

Each is one call a record. Spark's own expressions would be hundreds, which Spark plans and compiles again in every
micro-batch. Real-time mode, which runs no Python, runs them too. They are in a catalog of functions, Spark's interface
for functions on its own rows; for user-defined functions it converts every value twice. The
launcher compiles the sources once (``fraudstream.runtime.parts.jvm_libraries``) and puts the jar on Spark's class path;
the session adds the contract to it (``fraudstream.spark.contract_file``).
PySpark is imported by the calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fraudstream.core.contract.event import FEATURES
from fraudstream.core.contract.field_rules import leaves
from fraudstream.core.contract.rollups import EVENT_DIMENSIONS
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.project import Project

if TYPE_CHECKING:
    from pyspark.sql import Column, SparkSession

# The columns of a record of the Kafka source, in the order in which the functions take them.
RECORD_COLUMNS = {
    "value": "BINARY",
    "key": "BINARY",
    "topic": "STRING",
    "partition": "INT",
    "offset": "BIGINT",
    "timestamp": "TIMESTAMP",
}
# What is known of an event that was checked, and what a scorer elsewhere answers of it.
EVENT_COLUMNS = {"event_key": "STRING", "event_micros": "BIGINT", "rejected": "BINARY"}
SCORER_COLUMNS = {
    "prediction": "INT",
    "score": "DOUBLE",
    "threshold": "DOUBLE",
    "model_version": "STRING",
    "reasons": "ARRAY<STRUCT<field: STRING, contribution: DOUBLE>>",
    "field": "STRING",
    "reason": "STRING",
}
ANSWER_COLUMNS = EVENT_COLUMNS | SCORER_COLUMNS
# What counts an event: a period of time, and a value of a dimension.
CELL_COLUMNS = {"period": "STRING", "start": "TIMESTAMP", "end": "TIMESTAMP", "dimension": "STRING", "value": "STRING"}


def ddl(columns: Mapping[str, str]) -> str:
    """A schema of columns, name → type, as Spark reads it."""
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())


# Fields may have any names, and some that differ in case alone: columns are named by what they are for. The column of
# each of the model's inputs, and of each field by which events are counted, by the field's name.
INPUT_COLUMNS: Mapping[str, str] = {name: f"f{place}" for place, name in enumerate(FEATURES)}
DIMENSION_COLUMNS: Mapping[str, str] = {name: f"d{place}" for place, name in enumerate(EVENT_DIMENSIONS)}

# The catalog of our functions, and what each of them returns.
CATALOG = "fraudstream"
_CATALOG_CLASS = "fraudstream.spark.Functions"


def schemas(project: Project) -> dict[str, str]:
    """What each function returns of a project's events, and the answer that ``finish`` takes, as Spark reads schemas.

    ``read``: what is wrong with the event, its time, the decision that it carries, and the fields that have a role.
    ``check``: the model's inputs, ``f0`` and on, in their order. ``run`` and ``run_answered``: any number of records.
    """
    types = {rule.name: rule.spark_type for rule in (*leaves(project.rules), *project.computed)}
    defined = project.definition
    read = {"reason": "STRING", "field": "STRING", "event_micros": "BIGINT", "prediction": "INT"}
    read |= {"enqueued_at": "STRING", "id": types[defined.event.id], "amount": "DOUBLE", "label": "BIGINT"}
    read |= {f"d{place}": types[name] for place, name in enumerate(defined.dimensions.fields)}
    inputs = {f"f{place}": types[name] for place, name in enumerate(defined.model.inputs)}
    decided = "topic STRING, key BINARY, value BINARY"
    return {
        "read": ddl(read),
        "check": ddl({"value": "BINARY"} | EVENT_COLUMNS | inputs),
        "decide": decided,
        "finish": decided,
        "run": f"ARRAY<STRUCT<{decided}>>",
        "run_answered": f"ARRAY<STRUCT<{decided}>>",
        "answer": ddl(ANSWER_COLUMNS),
        "cells": f"ARRAY<STRUCT<{ddl(CELL_COLUMNS)}>>",
    }


def read_event(spark: SparkSession, value: Column, decided: Column) -> Column:
    """A struct for a binary ``value``, of the columns of ``read`` in :func:`schemas`.

    ``reason`` is null for a valid event.
    """
    return _called(spark, "read", value, decided)


def check_record(spark: SparkSession) -> Column:
    """A struct for a record of the Kafka source, of the columns of ``check`` in :func:`schemas`.

    ``rejected``, the value of its record of `rejected`, or all the others are null.
    """
    return _called(spark, "check", *_record_columns())


def decide_record(spark: SparkSession, champion: str) -> Column:
    """The topic, key and value of what a record of the Kafka source becomes; ``champion`` is the trees' file."""
    from pyspark.sql import functions as F

    return _called(spark, "decide", *_record_columns(), F.lit(champion))


def finish_record(spark: SparkSession) -> Column:
    """The same for a row of :data:`RECORD_COLUMNS` and :data:`ANSWER_COLUMNS`.

    A row with ``rejected`` is finished, one with a ``reason`` is rejected for it, any other is scored.
    """
    return _called(spark, "finish", *_record_columns(), _answer_column())


def run_record(spark: SparkSession, query: str, champion: str) -> Column:
    """The records that a record of the Kafka source becomes, an array of structs of topic, key and value.

    ``query`` is the file of the project's compiled query, ``champion`` the trees' file, empty where nothing is scored.
    """
    from pyspark.sql import functions as F

    return _called(spark, "run", *_record_columns(), F.lit(query), F.lit(champion))


def run_answered(spark: SparkSession, query: str) -> Column:
    """The same for a row as :func:`finish_record` takes it."""
    from pyspark.sql import functions as F

    return _called(spark, "run_answered", *_record_columns(), _answer_column(), F.lit(query))


def cells(spark: SparkSession, dimensions: str, moments: Column, numbers: Column, texts: Column) -> Column:
    """The cells that count an event, an array of structs of :data:`CELL_COLUMNS`.

    ``dimensions`` is the JSON of what events are counted by, ``moments`` an array of the event's arrival and its own
    time, ``numbers`` and ``texts`` arrays of its values in the order of the JSON.
    """
    from pyspark.sql import functions as F

    return _called(spark, "cells", F.lit(dimensions), moments, numbers, texts)


def _answer_column() -> Column:
    from pyspark.sql import functions as F

    return F.struct(*(F.col(name) for name in ANSWER_COLUMNS))


def _record_columns() -> list[Column]:
    from pyspark.sql import functions as F

    return [F.col(name) for name in RECORD_COLUMNS]


def _called(spark: SparkSession, function: str, *arguments: Column) -> Column:
    """The function's answer. Raises :class:`ConfigurationError` where Spark's class path lacks our library."""
    from py4j.protocol import Py4JJavaError
    from pyspark.sql import functions as F

    try:
        spark._jvm.org.apache.spark.util.Utils.classForName(_CATALOG_CLASS, True, False)  # type: ignore[union-attr]
    except Py4JJavaError as error:
        raise ConfigurationError(
            f"Spark's class path has no class {_CATALOG_CLASS}: the library of `python -m "
            "fraudstream.runtime.parts.jvm_libraries` is missing there. Start the job through `fraudstream up`, or put "
            "the jar into FRAUDSTREAM_SPARK_JARS."
        ) from error
    spark.conf.set(f"spark.sql.catalog.{CATALOG}", _CATALOG_CLASS)
    return F.call_function(f"{CATALOG}.{function}", *arguments)
