"""The event contract as Spark expressions, generated from :data:`fraudstream.core.event.FIELD_RULES`.

Only built-in expressions, so that the same plan runs under every trigger. PySpark is imported by the calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fraudstream.core.event import DATE_PATTERN, FIELD_RULES, RESERVED_FIELDS, SPARK_DATE_FORMAT, FieldRule
from fraudstream.core.topics import MAX_EVENT_BYTES

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

# What Jackson would let pass and the contract does not. Non-finite numbers are let in, to be refused by name.
_JSON_OPTIONS = {"allowSingleQuotes": "false", "allowNonNumericNumbers": "true"}
_SHOWN_LENGTH = 60


def validate(records: DataFrame, decided: bool = False) -> DataFrame:
    """Add ``text``, ``event``, ``event_time``, ``reason`` and ``field`` to records with a binary ``value``.

    ``reason`` is null for a valid event; otherwise it starts with the name in ``field``. ``event`` holds the known
    fields, ``text`` the value as text (null where it is no UTF-8 or larger than the contract allows). Events that
    carry a decision already (``decided``) may be larger and have the decision's fields.
    """
    from pyspark.sql import functions as F

    typed = ", ".join(f"{rule.name}: {rule.spark_type}" for rule in FIELD_RULES)
    size = F.octet_length("value")
    decoded = F.col("value").cast("string")
    text = F.when(F.is_valid_utf8(decoded) & (F.lit(decided) | (size <= MAX_EVENT_BYTES)), decoded)
    # In an array the parser has to come to the closing bracket, so that text behind the object is noticed.
    as_array = F.from_json(F.concat(F.lit("["), F.col("text"), F.lit("]")), f"array<struct<{typed}>>", _JSON_OPTIONS)
    parsed = (
        records.withColumn("text", text)
        .withColumn("_objects", as_array)
        .withColumn("event", F.get("_objects", F.lit(0)))
        .withColumn("event_time", F.try_to_timestamp("event.date", F.lit(SPARK_DATE_FORMAT)))
        .withColumn("_whole", _whole_reason(size, decided))
        .withColumn("_broken", F.when(F.col("_whole").isNull(), _broken_field()))
    )
    reason = F.coalesce("_whole", F.when(F.col("_broken").isNotNull(), _explanation()))
    checked = parsed.withColumn("reason", reason if decided else F.coalesce(reason, _names_reason()))
    return checked.withColumn("field", F.regexp_extract("reason", r"^(\w+)", 1)).drop("_objects", "_whole", "_broken")


def _whole_reason(size: Column, decided: bool) -> Column:
    """What is wrong with the value as a whole, or null."""
    from pyspark.sql import functions as F

    return (
        F.when(size.isNull() | (size == 0), F.lit("value: empty"))
        .when(
            F.lit(not decided) & (size > MAX_EVENT_BYTES),
            F.format_string(f"value: %d bytes, more than the {MAX_EVENT_BYTES} an event may have", size),
        )
        .when(F.col("text").isNull(), F.lit("value: not UTF-8 text"))
        .when(
            F.col("_objects").isNull() | (F.size("_objects") != 1) | F.col("event").isNull(),
            F.concat(F.lit("value: not one JSON object: "), F.substring("text", 1, _SHOWN_LENGTH)),
        )
    )


def _broken_field() -> Column:
    """The first field that breaks its rule, or null."""
    from pyspark.sql import functions as F

    return F.coalesce(*(F.when(_broken(rule), F.lit(rule.name)) for rule in FIELD_RULES))


def _broken(rule: FieldRule) -> Column:
    from pyspark.sql import functions as F

    value = F.col(f"event.{rule.name}")
    if rule.kind == "text":
        wrong = ~value.isin(*rule.choices)
    elif rule.kind == "date":
        wrong = ~value.rlike(DATE_PATTERN) | F.col("event_time").isNull() | value.contains("/0000 ")
    else:
        wrong = F.lit(False)
        if rule.minimum is not None:
            wrong = wrong | (value < rule.minimum)
        if rule.maximum is not None:
            wrong = wrong | (value > rule.maximum)
        if rule.kind == "float":
            wrong = wrong | F.isnan(value) | (value == float("inf"))
    if rule.required:
        return value.isNull() | wrong
    # An optional field may be absent or null; a value of another type is null only in the typed reading. Few events
    # have the name at all, and only those are read a second time.
    named = F.col("text").contains(f'"{rule.name}"')
    return (value.isNull() & named & _as_written(F.lit(rule.name)).isNotNull()) | wrong


def _as_written(name: Column) -> Column:
    """A field's value as text, or null where it is absent or null."""
    from pyspark.sql import functions as F

    return F.from_json("text", "MAP<STRING, STRING>", _JSON_OPTIONS).getItem(name)


def _explanation() -> Column:
    """The reason for the field in ``_broken``: what was expected and what was there."""
    from pyspark.sql import functions as F

    field = F.col("_broken")
    rules = [text for rule in FIELD_RULES for text in (F.lit(rule.name), F.lit(rule.expectation))]
    expected = F.element_at(F.create_map(*rules), field)
    written = _as_written(field)
    shown = F.substring(written, 1, _SHOWN_LENGTH)
    quoted = F.rlike(F.col("text"), F.concat(F.lit('"'), field, F.lit('"\\s*:\\s*"')))
    return F.when(written.isNull(), F.concat(field, F.lit(": missing, expected "), expected)).otherwise(
        F.concat(
            field,
            F.lit(": expected "),
            expected,
            F.lit(", got "),
            F.when(quoted, F.concat(F.lit('the text "'), shown, F.lit('"'))).otherwise(shown),
        )
    )


def _names_reason() -> Column:
    """What is wrong with the names, or null: the text itself goes on to readers that take JSON at its word."""
    from pyspark.sql import functions as F

    names = F.json_object_keys("text")
    taken = F.array_sort(F.array_intersect(names, F.array(*map(F.lit, RESERVED_FIELDS))))
    return (
        F.when(names.isNull(), F.lit("value: an unknown field holds what JSON does not have, such as NaN"))
        .when(F.size(names) != F.size(F.array_distinct(names)), F.lit("value: a field stands twice"))
        .when(F.size(taken) > 0, F.concat(F.get(taken, F.lit(0)), F.lit(": a name reserved for the decision")))
    )
