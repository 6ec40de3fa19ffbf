"""What the embedded document store does with a command before, or instead of, handing it to the library.

Documents here are the library's own ``de.bwaldvogel.mongo.bson.Document``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jpype

_BAD_VALUE = 2

# Every other command is followed by a commit, whether it wrote or not.
_READS = frozenset(
    (
        "buildinfo",
        "collstats",
        "connectionstatus",
        "count",
        "dbstats",
        "distinct",
        "endsessions",
        "find",
        "getmore",
        "hello",
        "hostinfo",
        "ismaster",
        "killcursors",
        "listcollections",
        "listdatabases",
        "listindexes",
        "ping",
        "serverstatus",
        "whatsmyuri",
    )
)


def writes(name: str, query: Any) -> bool:
    """Whether a command, by its name in lower case, may change documents."""
    if name == "aggregate":
        stages = query.get("pipeline")
        last = stages.get(stages.size() - 1) if stages.size() else None
        return last is not None and (last.containsKey("$merge") or last.containsKey("$out"))
    return name not in _READS


def keep_unique(query: Any) -> bool:
    """Leave only the unique ones among the indexes to create; False if there are none.

    The library has no others: it would keep their names, and read whole collections for them at every start.
    """
    kept = jpype.JClass("java.util.ArrayList")()
    for index in query.get("indexes"):
        if index.get("unique"):
            kept.add(index)
    query.put("indexes", kept)
    return not kept.isEmpty()


def counting(query: Any) -> Any | None:
    """The ``count`` command for an aggregation that is pymongo's ``count_documents``, else None.

    Every aggregation loads the whole collection first, which ``count`` does not.
    """
    count = document({"count": query.get("aggregate")})
    stages = list(query.get("pipeline"))
    if not stages or not _counts(stages.pop()):
        return None
    for name in ("$match", "$skip", "$limit"):
        if stages and stages[0].containsKey(name):
            count.put("query" if name == "$match" else name[1:], stages.pop(0).get(name))
    return None if stages else count


def count_answer(namespace: str, counted: Any) -> Any:
    """The answer to that aggregation, from the ``count`` command's."""
    batch = jpype.JClass("java.util.ArrayList")()
    if int(counted.get("n")):
        batch.add(document({"_id": jpype.JObject(1, jpype.JInt), "n": counted.get("n")}))
    cursor = document({"id": jpype.JObject(0, jpype.JLong), "ns": namespace, "firstBatch": batch})
    return document({"cursor": cursor, "ok": 1.0})


def with_codes(answer: Any) -> Any:
    """The answer with a code for each write error: drivers tell errors apart by it, and PyMongo fails without one."""
    for error in answer.get("writeErrors") or ():
        if error.get("code") is None:
            error.put("code", jpype.JObject(_BAD_VALUE, jpype.JInt))
    return answer


def document(fields: Mapping[str, Any]) -> Any:
    """A document of the library's."""
    made = jpype.JClass("de.bwaldvogel.mongo.bson.Document")()
    for name, value in fields.items():
        made.put(name, value)
    return made


def _counts(stage: Any) -> bool:
    group = stage.get("$group")
    return group is not None and str(group.toString()) == '{"_id" : 1, "n" : {"$sum" : 1}}'
