"""Stages, operators, commands and indexes that Cosmos DB for MongoDB (RU) supports, from its feature-support pages.

Sources: feature-support-42 (08/2025) and -70 (07/2024), indexing, error-codes-solutions. What the pages' tables do not
list counts as unsupported. The linter and the rehearsal's endpoint both ask :func:`refusal`, so that they agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fraudstream.cloud.rules.refusals import Refusal


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


STAGES = _names(
    "$addFields $count $facet $geoNear $group $limit $lookup $match $merge $out $project $redact $replaceRoot "
    "$replaceWith $sample $set $skip $sort $sortByCount $unset $unwind"
)
ACCUMULATORS = _names("$sum $avg $first $last $max $min $push $addToSet $stdDevPop $stdDevSamp")
# Operators that MongoDB has and the tables do not list, or list as unsupported.
EXPRESSIONS_NOT = _names(
    "$dateTrunc $dateAdd $dateSubtract $dateDiff $dateFromParts $top $topN $bottom $bottomN $firstN $lastN $maxN $minN "
    "$percentile $median $setField $getField $unsetField $function $accumulator $rand $sampleRate $sortArray "
    "$tsIncrement $tsSecond $documentNumber $denseRank $rank $shift $derivative $integral $expMovingAvg"
)
QUERY_OPERATORS_NOT = _names(
    "$jsonSchema $text $where $meta $bitsAllClear $bitsAllSet $bitsAnyClear $bitsAnySet $center $box $polygon"
)
COMMANDS_NOT = _names(
    "mapreduce collmod renamecollection converttocapped copydb killop serverstatus top connectionstatus datasize "
    "listcommands createuser createrole usersinfo rolesinfo"
)
MOST_COMPOUND_FIELDS = 8

# Fields and directions of each index of a collection, besides the one of `_id`, which always exists.
Indexes = Sequence[Sequence[tuple[str, int]]]


def refusal(command: Mapping[str, Any], indexes: Indexes | None) -> Refusal | None:
    """Why the service refuses a command, or None. ``indexes`` None: the collection's indexes are not known."""
    name = next(iter(command), "")
    if name.lower() in COMMANDS_NOT:
        return Refusal("CO013", 115, "CommandNotSupported", f"Command {name} not supported")
    if name == "aggregate":
        return _pipeline(command.get("pipeline") or (), indexes)
    if name == "find":
        refused = _query(command.get("filter") or {})
        return refused or _sort(command.get("sort"), indexes)
    if name in ("findAndModify", "findandmodify"):
        if len(command.get("sort") or {}) > 1:
            return Refusal("CO018", 2, "BadValue", "findAndModify: sort on more than one field is not supported")
        return _query(command.get("query") or {}) or _sort(command.get("sort"), indexes)
    if name in ("count", "distinct"):
        return _query(command.get("query") or {})
    if name in ("update", "delete"):
        operations = command.get("updates" if name == "update" else "deletes") or ()
        return next(
            (refused for operation in operations if (refused := _query(operation.get("q") or {})) is not None), None
        )
    if name == "createIndexes":
        return next((refused for index in command.get("indexes") or () if (refused := _index(index)) is not None), None)
    return None


def _pipeline(stages: Sequence[Mapping[str, Any]], indexes: Indexes | None) -> Refusal | None:
    sorted_in_memory = False
    for stage in stages:
        name, content = next(iter(stage.items()))
        if name not in STAGES:
            return Refusal("CO008", 40324, "Location40324", f"Unrecognized pipeline stage name: '{name}'")
        if name == "$lookup" and ("let" in content or "pipeline" in content):
            return Refusal("CO012", 9, "FailedToParse", "let is not supported")
        if name == "$group" and (unknown := _accumulator(content)):
            return Refusal("CO010", 15952, "Location15952", f"unknown group operator '{unknown}'")
        if name == "$match" and (refused := _query(content)) is not None:
            return refused
        if name == "$sort" and not sorted_in_memory and (refused := _sort(content, indexes)) is not None:
            return refused
        if name == "$facet":
            for branch in content.values():
                if (refused := _pipeline(branch, None)) is not None:
                    return refused
        if (unknown := _first(content, EXPRESSIONS_NOT)) is not None:
            return Refusal("CO009", 168, "InvalidPipelineOperator", f"Unrecognized expression '{unknown}'")
        # The service sorts computed values in memory; after a filter it still needs an index.
        sorted_in_memory = sorted_in_memory or name not in ("$match", "$limit", "$skip")
    return None


def _accumulator(group: Mapping[str, Any]) -> str | None:
    for field, content in group.items():
        if field != "_id" and isinstance(content, Mapping):
            for operator in content:
                if operator not in ACCUMULATORS:
                    return str(operator)
    return None


def _query(content: Any) -> Refusal | None:
    unknown = _first(content, QUERY_OPERATORS_NOT)
    if unknown is not None:
        return Refusal("CO011", 2, "BadValue", f"unknown operator: {unknown}")
    unknown = _first(content, EXPRESSIONS_NOT)
    if unknown is not None:
        return Refusal("CO009", 168, "InvalidPipelineOperator", f"Unrecognized expression '{unknown}'")
    return None


def _sort(sort: Mapping[str, Any] | None, indexes: Indexes | None) -> Refusal | None:
    if not sort or indexes is None:
        return None
    order = [(field, -1 if int(direction) < 0 else 1) for field, direction in sort.items()]
    reverse = [(field, -direction) for field, direction in order]
    if len(order) == 1:
        field = order[0][0]
        if field == "_id" or any(len(keys) == 1 and keys[0][0] in (field, "$**") for keys in indexes):
            return None
        return Refusal("CO014", 2, "BadValue", _bad_request(_NO_INDEX))
    if any(list(map(tuple, keys)) in (order, reverse) for keys in indexes):
        return None
    return Refusal("CO015", 2, "BadValue", _bad_request(_NO_COMPOSITE))


_NO_INDEX = "The index path corresponding to the specified order-by item is excluded."
_NO_COMPOSITE = "The order by query does not have a corresponding composite index that it can be served from."


def _bad_request(text: str) -> str:
    return (
        "Error=2, Details='Response status code does not indicate success: BadRequest (400); Substatus: 0; "
        f'Reason: (Message: {{"Errors":["{text}"]}})\''
    )


def _index(index: Mapping[str, Any]) -> Refusal | None:
    keys = list((index.get("key") or {}).items())
    kinds = sorted({str(kind) for _, kind in keys if kind not in (1, -1, 1.0, -1.0, "2dsphere")})
    if kinds:
        return _cannot(f"index type {', '.join(kinds)} is not supported")
    if index.get("sparse") or index.get("collation"):
        return _cannot("sparse and case-insensitive indexes are not supported")
    if index.get("partialFilterExpression") and not index.get("unique"):
        return _cannot("a partial index has to be unique")
    if len(keys) > MOST_COMPOUND_FIELDS:
        return Refusal("CO021", 67, "CannotCreateIndex", f"a compound index has at most {MOST_COMPOUND_FIELDS} fields")
    if "expireAfterSeconds" in index and [field for field, _ in keys] != ["_ts"]:
        return Refusal(
            "CO025",
            67,
            "CannotCreateIndex",
            "The 'expireAfterSeconds' option is supported on '_ts' field only.",
        )
    return None


def _cannot(why: str) -> Refusal:
    return Refusal("CO019", 67, "CannotCreateIndex", why)


def _first(content: Any, names: frozenset[str]) -> str | None:
    return next((name for name in _operators(content) if name in names), None)


def _operators(content: Any) -> Iterator[str]:
    if isinstance(content, Mapping):
        for name, inner in content.items():
            if str(name).startswith("$"):
                yield str(name)
            yield from _operators(inner)
    elif isinstance(content, list | tuple):
        for inner in content:
            yield from _operators(inner)
