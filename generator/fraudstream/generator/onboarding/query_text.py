"""``fraud.asaql`` of a plan: check, score, route, in Stream Analytics' language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fraudstream.core.contract.times import EPOCH, EPOCH_START, ISO
from fraudstream.generator.onboarding.plan import Plan
from fraudstream.generator.onboarding.profile import word_set

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*").fullmatch
_WORDS = word_set(
    "all and any array as asc between bit by case cast count create date datetime day desc distinct else end "
    "first float from full function group having hour in index inner into is join key last left like limit max "
    "min minute month not null on or order outer over partition record right second select sum table then time "
    "timestamp top type union user value values when where with year"
)
_TESTS = {
    "integer": "GetType({0}) != 'bigint'",
    "number": "(GetType({0}) != 'bigint' AND GetType({0}) != 'float')",
    "boolean": "GetType({0}) != 'bit'",
    "string": "GetType({0}) != 'nvarchar(max)'",
    "array": "GetType({0}) != 'array'",
    "object": "GetType({0}) != 'record'",
}
_WIDTH = 100


def query_text(plan: Plan, schema: dict[str, Any]) -> str:
    """The query of the whole job."""
    form = _TimeForm(plan)
    checks = "\n".join(f"            {line}" for line in _checks(schema, "t", plan.time, form))
    kept = [f"d.{_name(name)}" for name in schema["properties"] if name != plan.label.profile.name]
    nested = [name for name in plan.inputs if len(plan.profiles[name].column.path) > 1]
    features = ["c.*", *(f"{_path('c', plan.profiles[name].column.path)} AS {_name(name)}" for name in nested)]
    decision = ("prediction", "score", "threshold", "model_version", "reasons")
    outputs = [*kept, "d.event_time", *(f"GetRecordPropertyValue(d.decision, '{name}') AS {name}" for name in decision)]
    selected = _wrapped([*outputs, "System.Timestamp() AS scored_at"], 4)
    return f"""\
-- What happens between `transactions` and the outputs, in Stream Analytics' language (compatibility level 1.2):
-- check, score, route. Made by `fraudstream init`; from here on it is yours.
--
-- Input      transactions                the hub, JSON
-- Functions  udf.score                   the champion: a record with the model's inputs → {{prediction, score, …}}
-- Outputs    scored, alerts, rejected    hubs
--
-- A field that is missing or of a wrong type rejects the event; the reason starts with its name.

WITH checked AS (
    SELECT
        t.*,
        CASE
{checks}
            ELSE ''
        END AS field
    FROM transactions t TIMESTAMP BY EventEnqueuedUtcTime
),

features AS (
    SELECT
{_wrapped(features, 8)}
    FROM checked c
    WHERE c.field = ''
),

decided AS (
    SELECT
        f.*,
        {form.moment(_path("f", _time_path(plan)))} AS event_time,
        udf.score(f) AS decision
    FROM features f
)

SELECT
{selected}
INTO scored
FROM decided d;

SELECT
{selected}
INTO alerts
FROM decided d
WHERE GetRecordPropertyValue(d.decision, 'prediction') = 1;

SELECT
    CONCAT(c.field, ': missing, or of a wrong type') AS reason,
    c.field,
    CAST(c.{_name(plan.id)} AS nvarchar(max)) AS [key],
    System.Timestamp() AS rejected_at
INTO rejected
FROM checked c
WHERE c.field != ''
"""  # noqa: S608 - a text for a person, and no statement that is run here


class _TimeForm:
    """How the query makes a moment of the event's time."""

    def __init__(self, plan: Plan) -> None:
        self._form = plan.form

    def moment(self, path: str) -> str:
        """The expression of the moment; NULL where the time cannot be read."""
        if self._form.form == ISO:
            return f"TRY_CAST({path} AS datetime)"
        if self._form.form == EPOCH:
            origin = self._form.origin - EPOCH_START
            unit = _UNIT_NAMES[self._form.unit]
            whole = f"TRY_CAST({path} AS bigint)"
            return f"DATEADD({unit}, {whole}, CAST('{EPOCH_START + origin:%Y-%m-%dT%H:%M:%SZ}' AS datetime))"
        parts = _parts_of(self._form.form, path)
        # Names of months and hours of twelve have no conversion in the language: the text goes on as it is.
        return path if parts is None else f"TRY_CAST(CONCAT({parts}) AS datetime)"


_UNIT_NAMES = {"us": "microsecond", "ms": "millisecond", "s": "second", "min": "minute", "h": "hour", "d": "day"}
_WIDTHS = {"Y": 4, "y": 2, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2}


def _parts_of(form: str, path: str) -> str | None:
    """The arguments that put a date of two-digit numbers into ISO 8601; None for other forms."""
    places, at, character = {}, 1, 0
    while character < len(form):
        if form[character] != "%":
            at, character = at + 1, character + 1
            continue
        directive = form[character + 1]
        if directive == "f":
            break
        if directive not in _WIDTHS:
            return None
        places[directive] = f"SUBSTRING({path}, {at}, {_WIDTHS[directive]})"
        at, character = at + _WIDTHS[directive], character + 2
    year = places["Y"] if "Y" in places else f"'20', {places['y']}"
    clock = [places.get(part, "'00'") for part in "HMS"]
    return f"{year}, '-', {places['m']}, '-', {places['d']}, 'T', {clock[0]}, ':', {clock[1]}, ':', {clock[2]}, 'Z'"


def _time_path(plan: Plan) -> tuple[str, ...]:
    return plan.profiles[plan.time].column.path if plan.time in plan.profiles else (plan.time,)


def _name(name: str) -> str:
    """A name as the language takes it: in brackets where it is a word of its own, or has other characters."""
    if _PLAIN(name) and name.lower() not in _WORDS:
        return name
    return f"[{name.replace(']', ']]')}]"


def _path(alias: str, path: tuple[str, ...]) -> str:
    return ".".join((alias, *map(_name, path)))


def _checks(schema: dict[str, Any], above: str, time: str, form: _TimeForm, within: str = "") -> Iterator[str]:
    """A line for each field that tells whether it breaks its rule."""
    for name, field in schema["properties"].items():
        path, dotted = f"{above}.{_name(name)}", f"{within}{name}"
        type = field["type"] if isinstance(field["type"], str) else field["type"][0]
        is_required = name in schema["required"]
        literal = dotted.replace("'", "''")
        if dotted == time:
            yield f"WHEN {form.moment(path)} IS NULL THEN '{literal}'"
            continue
        problem = _TESTS[type].format(path)
        if field.get("minimum") is not None:
            problem += f" OR {path} < {field['minimum']}"
        if is_required:
            yield f"WHEN {path} IS NULL OR {problem} THEN '{literal}'"
        else:
            yield f"WHEN {path} IS NOT NULL AND ({problem}) THEN '{literal}'"
        if type == "object":
            yield from _checks(field, path, time, form, f"{dotted}.")


def _wrapped(parts: list[str], indent: int) -> str:
    """The parts with commas, in lines of a readable length."""
    lines, line = [], " " * indent
    for number, part in enumerate(parts):
        text = part + ("," if number < len(parts) - 1 else "")
        if len(line) + len(text) + 1 > _WIDTH and line.strip():
            lines.append(line.rstrip())
            line = " " * indent
        line += f"{text} "
    return "\n".join([*lines, line.rstrip()])
