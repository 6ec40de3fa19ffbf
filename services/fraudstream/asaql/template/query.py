"""``fraud.asaql`` of a project: check, score, route, in Stream Analytics' language."""

from __future__ import annotations

from dataclasses import dataclass

from fraudstream.asaql.template.checks import checks
from fraudstream.asaql.template.times import moment_text
from fraudstream.asaql.template.writing import KEPT_BLANK, columns, name, path, text, unused, wrapped
from fraudstream.core.contract.field_rules import FieldRule, leaves
from fraudstream.core.project.project import Project

_HEAD = """\
-- What happens between `transactions` and the outputs, in Stream Analytics' language (compatibility level 1.2): check,
-- score, route. This file is the job, here and in Azure.
--
-- Input      transactions                the hub, JSON; its fields keep the types that their senders gave them
-- Functions  udf.score                   the champion: a record with the model's inputs in, its decision out
--            udf.source                  Functions/source.js: where an event came from
-- Outputs    scored, alerts, rejected    hubs
--
-- A field that is missing, of a wrong type or outside its values rejects the event; the reason starts with its name.
"""
# What the model says of an event, beside its reasons.
DECISION = ("prediction", "score", "threshold", "model_version")
# What a reason says behind the field's name.
REASON = ": missing, of a wrong type, or outside its values"
# What stands beside the event's own fields in `scored` and `alerts`.
_BESIDE = ("event_time", *DECISION, "scored_at", "reasons", "source")


@dataclass(frozen=True, slots=True)
class _Names:
    """Columns of steps, which no field of the event may be called by."""

    field: str
    decision: str


def query_text(project: Project) -> str:
    """The query of the whole job, made from the project's schema and roles alone.

    Raises :class:`ConfigurationError` for a form of the event's time that the language cannot read.
    """
    own = own_columns(project)
    nested = [rule for rule in _inputs(project) if len(rule.path) > 1]
    inner = [rule.name for rule in nested]
    names = _Names(unused("field", own), unused("decision", [*own, *inner]))
    cases = "\n".join(
        wrapped(f"WHEN {condition} THEN{KEPT_BLANK}{text(field)}", 12, 5)
        for condition, field in checks(project.rules, "t")
    )
    features = [path("c", column) for column in own]
    features += [f"{path('c', *rule.path)} AS {name(rule.name)}" for rule in nested]
    time = next(rule for rule in leaves(project.rules) if rule.name == project.definition.event.time)
    moment = moment_text(time.time_form, path("f", *time.path)).moment
    selected = columns(
        [
            *(path("d", column) for column in own),
            "d.event_time",
            *(f"d.{names.decision}.{part}" for part in DECISION),
            "System.Timestamp() AS scored_at",
            f"d.{names.decision}.reasons",
            "d.source",
        ]
    )
    event = project.definition.event
    key = next(rule for rule in leaves(project.rules) if rule.name == (event.partition_key or event.id))
    field = "c.field" if names.field == "field" else f"c.{names.field} AS field"
    return f"""\
{_HEAD}
WITH checked AS (
    SELECT
        CASE
{cases}
            ELSE ''
        END AS {names.field},
        udf.source(t.PartitionId, GetMetadataPropertyValue(t, '[EventHub].[Offset]'), t.EventEnqueuedUtcTime) AS source,
        t.*
    FROM transactions t TIMESTAMP BY EventEnqueuedUtcTime
),

features AS (
    SELECT
{columns([*features, "c.source"], 8)}
    FROM checked c
    WHERE c.{names.field} = ''
),

decided AS (
    SELECT
        f.*,
{wrapped(f"{moment} AS event_time,", 8, 4)}
        udf.score(f) AS {names.decision}
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
WHERE d.{names.decision}.prediction = 1;

SELECT
    CONCAT(c.{names.field}, {text(REASON)}) AS reason,
    {field},
    '' AS raw_base64,
    0 AS raw_bytes,
    '' AS raw_sha256,
    TRY_CAST({path("c", *key.path)} AS nvarchar(max)) AS [key],
    System.Timestamp() AS rejected_at,
    c.source
INTO rejected
FROM checked c
WHERE c.{names.field} != '';
"""  # noqa: S608 - a text for a file, and no statement that is run here


def own_columns(project: Project) -> list[str]:
    """The event's outer fields, as outputs have them.

    The language takes names that differ in case alone for one: of these the first counts, and before it those that
    stand beside the event's own.
    """
    taken = {beside.casefold() for beside in _BESIDE}
    listed: list[str] = []
    for rule in project.rules:
        column = rule.path[0]
        if column.casefold() not in taken:
            taken.add(column.casefold())
            listed.append(column)
    return listed


def _inputs(project: Project) -> list[FieldRule]:
    known = {rule.name: rule for rule in leaves(project.rules)}
    return [known[name] for name in project.definition.model.inputs if name in known]
