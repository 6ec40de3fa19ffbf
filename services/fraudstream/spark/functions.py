"""Our functions in Spark's Java process, from ``services/jvm``: the event contract, the records, the model's trees.

Each is one call a record. Spark's own expressions would be hundreds, which Spark plans and compiles again in every
micro-batch. Real-time mode, which runs no Python, runs them too. They are in a catalog of functions, Spark's interface
for functions on its own rows; for user-defined functions it converts every value twice. The
launcher compiles the sources once (``fraudstream.runtime.parts.jvm_libraries``) and puts the jar on Spark's class path.
PySpark is imported by the calls.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from fraudstream.core.contract import limits
from fraudstream.core.contract.event import FEATURES, FIELD_RULES, RESERVED_FIELDS, RULES, spark_schema
from fraudstream.core.contract.field_rules import ROUNDED_DIGITS, FieldRule
from fraudstream.core.contract.gate import LOST_DIGITS
from fraudstream.core.contract.topics import MAX_EVENT_BYTES, MOST_RECORD_BYTES, REJECTED, SCORED
from fraudstream.core.errors import ConfigurationError

if TYPE_CHECKING:
    from pyspark.sql import Column, SparkSession

# Where the library keeps the contract.
CONTRACT_FILE = "fraudstream/contract.json"

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
EVENT_COLUMNS = {"id": "BIGINT", "event_seconds": "BIGINT", "rejected": "BINARY"}
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


def ddl(columns: Mapping[str, str]) -> str:
    """A schema of columns, name → type, as Spark reads it."""
    return ", ".join(f"{name} {kind}" for name, kind in columns.items())


CHECKED_SCHEMA = ddl({"value": "BINARY"} | EVENT_COLUMNS | {name: RULES[name].spark_type for name in FEATURES})
DECIDED_SCHEMA = "topic STRING, key BINARY, value BINARY"
READ_SCHEMA = f"reason STRING, field STRING, event_seconds BIGINT, prediction INT, enqueued_at STRING, {spark_schema()}"

# The catalog of our functions, and what each of them returns.
CATALOG = "fraudstream"
_CATALOG_CLASS = "fraudstream.spark.Functions"
_ANSWERS = {"read": READ_SCHEMA, "check": CHECKED_SCHEMA, "decide": DECIDED_SCHEMA, "finish": DECIDED_SCHEMA}


def contract_json() -> str:
    """The event contract as the Java side reads it, from its definition in :mod:`fraudstream.core.contract.event`."""

    def described(rule: FieldRule) -> dict[str, Any]:
        return asdict(rule) | {"expectation": rule.expectation}

    return json.dumps(
        {
            "fields": [described(rule) for rule in FIELD_RULES],
            "features": FEATURES,
            "reserved": RESERVED_FIELDS,
            "max_event_bytes": MAX_EVENT_BYTES,
            "whole_raw_bytes": limits.WHOLE_RAW_BYTES,
            "cut_raw_bytes": limits.CUT_RAW_BYTES,
            "whole_key_bytes": limits.WHOLE_KEY_BYTES,
            "shown_reason": limits.SHOWN_REASON_CHARACTERS,
            "most_nesting": limits.MOST_NESTING,
            "most_fields": limits.MOST_FIELDS,
            "most_document_bytes": limits.MOST_EVENT_DOCUMENT_BYTES,
            "most_decimal_digits": limits.MOST_DECIMAL_DIGITS,
            "decimal_exponents": limits.DECIMAL_EXPONENTS,
            "dollar_name": limits.name_problem("$"),
            "nul_name": limits.name_problem("\0"),
            "lost_digits": LOST_DIGITS,
            "rounded_digits": ROUNDED_DIGITS,
            "scored_topic": SCORED,
            "rejected_topic": REJECTED,
            "most_record_bytes": MOST_RECORD_BYTES,
            "schemas": _ANSWERS | {"answer": ddl(ANSWER_COLUMNS)},
        },
        indent=1,
    )


def read_event(spark: SparkSession, value: Column, decided: Column) -> Column:
    """A struct of :data:`READ_SCHEMA` for a binary ``value``; ``reason`` is null for a valid event."""
    return _called(spark, "read", value, decided)


def check_record(spark: SparkSession) -> Column:
    """A struct of :data:`CHECKED_SCHEMA` for a record of the Kafka source.

    ``rejected``, the value of its record of `rejected`, or all the others are null.
    """
    return _called(spark, "check", *_record_columns())


def decide_record(spark: SparkSession, champion: str) -> Column:
    """A struct of :data:`DECIDED_SCHEMA` for a record of the Kafka source; ``champion`` is the trees' file."""
    from pyspark.sql import functions as F

    return _called(spark, "decide", *_record_columns(), F.lit(champion))


def finish_record(spark: SparkSession) -> Column:
    """A struct of :data:`DECIDED_SCHEMA` for a row of :data:`RECORD_COLUMNS` and :data:`ANSWER_COLUMNS`.

    A row with ``rejected`` is finished, one with a ``reason`` is rejected for it, any other is scored.
    """
    from pyspark.sql import functions as F

    answer = F.struct(*(F.col(name) for name in ANSWER_COLUMNS))
    return _called(spark, "finish", *_record_columns(), answer)


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
