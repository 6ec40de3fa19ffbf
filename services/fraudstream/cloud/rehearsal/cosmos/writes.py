"""Writes under a budget: the writer applies what the request units pay for, and refuses the other operations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import bson
from bson.raw_bson import RawBSONDocument

from fraudstream.cloud.rehearsal.cosmos import commands
from fraudstream.cloud.rehearsal.cosmos.account import Account, CosmosFigures
from fraudstream.cloud.rehearsal.cosmos.request_units import DELETE, Budget, write_charge
from fraudstream.cloud.rehearsal.cosmos.wire import Message
from fraudstream.cloud.rules.documents import document_refusal, update_refusal
from fraudstream.cloud.rules.refusals import Refusal

# Command → the name of its list of operations.
WRITES = {"insert": "documents", "update": "updates", "delete": "deletes"}
Ask = Callable[[str, Mapping[str, Any]], Awaitable[tuple[dict[str, Any], int]]]


class Writer:
    """Applies the operations of a write command that rules and budget allow."""

    def __init__(self, account: Account, budget: Budget, figures: CosmosFigures, ask: Ask) -> None:
        self._account = account
        self._budget = budget
        self._figures = figures
        self._ask = ask

    async def write(self, message: Message) -> Mapping[str, Any]:
        """The answer: counts of the applied operations, and an error for each other one."""
        listed = WRITES[message.name]
        operations: Sequence[Any] = message.command.get(listed) or ()
        collection = str(message.command[message.name])
        ordered = bool(message.command.get("ordered", True))
        self._figures.writes += len(operations)
        accepted: list[int] = []
        errors: list[dict[str, Any]] = []
        for index, operation in enumerate(operations):
            problem = self._rule_broken(message.name, collection, operation)
            if problem is None:
                wait = self._budget.spend(self._charge(message.name, collection, operation))
                if wait is None:
                    accepted.append(index)
                    continue
                self._figures.writes_throttled += 1
                text, code, name = commands.throttled_text(wait), 16500, "RequestRateTooLarge"
                problem = Refusal("CO026", code, name, text)
            self._figures.refusals[problem.rule] += 1
            errors.append(
                {"index": index, "code": problem.code, "codeName": problem.code_name, "errmsg": problem.message}
            )
            if ordered:
                break
        answer: dict[str, Any] = {"n": 0, "ok": 1.0} | ({"nModified": 0} if message.name == "update" else {})
        if accepted:
            chosen = message.command | {listed: [operations[index] for index in accepted]}
            answer, _ = await self._ask(message.database, chosen)
            _restore_indexes(answer, accepted)
        if errors:
            own = [dict(failure) for failure in answer.get("writeErrors") or ()]
            answer["writeErrors"] = sorted(own + errors, key=lambda failure: int(failure["index"]))
        return answer

    def _rule_broken(self, name: str, collection: str, operation: Any) -> Refusal | None:
        document = operation if name == "insert" else operation.get("u") if name == "update" else None
        shard_key = self._account.shard_keys.get(collection)
        if document is not None:
            size = _size(document)
            self._figures.largest_document = max(self._figures.largest_document, size)
            if size > self._account.document_bytes:
                return Refusal("CO016", 16, "RequestEntityTooLarge", commands.TOO_LARGE)
            refused = (document_refusal if name == "insert" else update_refusal)(document, shard_key or "_id")
            if refused is not None:
                return refused
        if shard_key is None or shard_key == "_id":
            return None
        replaces = name == "update" and not any(str(field).startswith("$") for field in document or ())
        if (name == "insert" or replaces) and shard_key not in (document or ()):
            text = f"document does not contain shard key in 'undefined' format ({shard_key})"
            return Refusal("CO022", 61, "ShardKeyNotFound", text)
        changed = (document or {}).get("$set") if name == "update" and not replaces else None
        if changed and shard_key in changed:
            text = f"Performing an update on the path '{shard_key}' would modify the immutable field '{shard_key}'"
            return Refusal("CO023", 66, "ImmutableField", text)
        return None

    def _charge(self, name: str, collection: str, operation: Any) -> float:
        if name == "delete":
            return DELETE
        document = operation if name == "insert" else operation.get("u")
        return write_charge(_size(document), len(self._account.indexes.get(collection, [])) + 1)


def _size(document: Any) -> int:
    return len(document.raw) if isinstance(document, RawBSONDocument) else len(bson.encode(document))


def _restore_indexes(answer: dict[str, Any], accepted: Sequence[int]) -> None:
    """Number the answer's entries as the client did: the store got the accepted operations alone."""
    for name in ("upserted", "writeErrors"):
        if answer.get(name):
            answer[name] = [dict(entry) | {"index": accepted[int(entry["index"])]} for entry in answer[name]]
