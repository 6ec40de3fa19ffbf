"""The event contract as our functions in Spark's Java process have it: a file in a small jar of its own.

The compiled classes are the same for every project: another project makes another of these jars, and compiles nothing.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from fraudstream.core.contract import limits
from fraudstream.core.contract.event import PROJECT, RESERVED_FIELDS
from fraudstream.core.contract.field_rules import FieldRule
from fraudstream.core.contract.gate import LOST_DIGITS
from fraudstream.core.contract.limits import LEAST_INTEGER, MOST_INTEGER
from fraudstream.core.contract.times import ISO, TimeForm
from fraudstream.core.contract.topics import MAX_EVENT_BYTES, MOST_RECORD_BYTES, REJECTED, SCORED
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.project import Project
from fraudstream.spark.functions import schemas

# Where the Java side looks for it on its class path.
CONTRACT_FILE = "fraudstream/contract.json"
# The time of the jar's entry: the same contract always makes the same file.
_ENTRY_TIME = (1980, 1, 1, 0, 0, 0)


def contract_json(project: Project = PROJECT) -> str:
    """A project's event contract as the Java side reads it."""
    defined = project.definition
    return json.dumps(
        {
            "fields": [_rule(rule) for rule in project.rules],
            "computed": [_rule(rule) for rule in project.computed],
            "id": defined.event.id,
            "amount": defined.event.amount,
            "label": defined.event.label,
            "key": defined.event.partition_key or defined.event.id,
            "features": defined.model.inputs,
            "dimensions": defined.dimensions.fields,
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
            "scored_topic": SCORED,
            "rejected_topic": REJECTED,
            "most_record_bytes": MOST_RECORD_BYTES,
            "schemas": schemas(project),
        },
        indent=1,
        allow_nan=False,
    )


def contract_jar(folder: Path) -> Path:
    """The jar with the contract in force, in a folder that is made, or in a temporary one where that cannot be written.

    Raises :class:`ConfigurationError` where neither can be. May run in several processes at once.
    """
    text = contract_json()
    name = f"fraudstream-contract-{hashlib.sha256(text.encode()).hexdigest()[:16]}.jar"
    if (folder / name).exists():
        return folder / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return _packed(folder / name, text)
    except OSError:
        pass
    try:
        # Nobody else can have put anything there.
        return _packed(Path(tempfile.mkdtemp(prefix="fraudstream-contract-")) / name, text)
    except OSError as error:
        raise ConfigurationError(
            f"{folder / name} cannot be written, nor a temporary folder ({error.strerror or error}). Make "
            "FRAUDSTREAM_DATA_DIR a folder that can be written."
        ) from error


def _packed(jar: Path, text: str) -> Path:
    partial = jar.with_name(f"{jar.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr(zipfile.ZipInfo(CONTRACT_FILE, _ENTRY_TIME), text)
        partial.replace(jar)
    finally:
        partial.unlink(missing_ok=True)
    return jar


def _rule(rule: FieldRule) -> dict[str, Any]:
    least, most = _bounds(rule)
    return {
        "name": rule.name,
        "key": rule.path[-1],
        "kind": rule.kind,
        "required": rule.required,
        "is_nullable": rule.is_nullable,
        "least": least,
        "most": most,
        "choices": rule.choices,
        "known": rule.known_values,
        "least_length": rule.least_length,
        "most_length": None if rule.most_length is None else min(rule.most_length, 2**31 - 1),
        "pattern": rule.pattern,
        "expectation": rule.expectation,
        "fields": [_rule(field) for field in rule.fields],
        "items": None if rule.items is None else _rule(rule.items),
        "time": None if rule.time is None else _time(rule.time),
    }


def _time(form: TimeForm) -> dict[str, Any]:
    return form.described() | {"is_iso": form.form == ISO}


def _bounds(rule: FieldRule) -> tuple[str | None, str | None]:
    """The least and the largest number that a rule allows, which are inclusive, as Java reads them."""
    if rule.kind == "int":
        low, high = rule.range
        least = (
            LEAST_INTEGER if low == -math.inf else math.ceil(low) + (rule.is_above_minimum and math.ceil(low) == low)
        )
        most = (
            MOST_INTEGER
            if high == math.inf
            else math.floor(high) - (rule.is_below_maximum and math.floor(high) == high)
        )
        if least > MOST_INTEGER or most < LEAST_INTEGER:
            return str(MOST_INTEGER), str(LEAST_INTEGER)
        return str(max(least, LEAST_INTEGER)), str(min(most, MOST_INTEGER))
    if rule.kind == "float":
        least_double, most_double = (_nearest(bound) for bound in rule.range)
        if least_double < rule.range[0] or (rule.is_above_minimum and least_double == rule.range[0]):
            least_double = math.nextafter(least_double, math.inf)
        if most_double > rule.range[1] or (rule.is_below_maximum and most_double == rule.range[1]):
            most_double = math.nextafter(most_double, -math.inf)
        return _written(least_double), _written(most_double)
    return None, None


def _nearest(bound: float) -> float:
    try:
        return float(bound)
    except OverflowError:
        return math.inf if bound > 0 else -math.inf


def _written(number: float) -> str:
    return repr(number).replace("inf", "Infinity")
