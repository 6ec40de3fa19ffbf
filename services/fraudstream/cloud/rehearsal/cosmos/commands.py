"""Answers that Cosmos DB's endpoint gives without the store: greetings, errors, sessions, new collections."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from fraudstream.cloud.rehearsal.cosmos.account import Account
from fraudstream.cloud.rehearsal.cosmos.wire import Message
from fraudstream.cloud.rules.refusals import Refusal

# The service's server version 7.0, as the templates order it.
_WIRE_VERSION = 21
_VERSION = "7.0.0"

RETRYABLE_WRITES = (
    'Retryable writes are not supported. Please disable retryable writes by specifying "retrywrites=false" in the '
    "connection string or an equivalent driver specific config."
)
TOO_LARGE = (
    "Error=16, Details='Response status code does not indicate success: RequestEntityTooLarge (413); Substatus: 0; "
    'Reason: (Message: {"Errors":["Request size is too large"]})\''
)


def hello(port: int) -> Mapping[str, Any]:
    """The greeting: one member of the replica set `globaldb`, at the address that the client came to."""
    me = f"localhost:{port}"
    return {
        "ismaster": True,
        "isWritablePrimary": True,
        "helloOk": True,
        "maxBsonObjectSize": 16 * 1024 * 1024,
        "maxMessageSizeBytes": 48_000_000,
        "maxWriteBatchSize": 1_000,
        "localTime": datetime.datetime.now(datetime.UTC),
        # The service names it although it keeps no sessions: therefore drivers try retryable writes.
        "logicalSessionTimeoutMinutes": 30,
        "minWireVersion": 0,
        "maxWireVersion": _WIRE_VERSION,
        "setName": "globaldb",
        "setVersion": 1,
        "hosts": [me],
        "primary": me,
        "me": me,
        "readOnly": False,
        "tags": {"region": "Rehearsal"},
        "saslSupportedMechs": ["SCRAM-SHA-1", "SCRAM-SHA-256"],
        "ok": 1.0,
    }


def sasl(payload: bytes, *, done: bool) -> Mapping[str, Any]:
    """A step of the sign-in."""
    return {"conversationId": 1, "done": done, "payload": payload, "ok": 1.0}


def error(code: int, name: str, text: str) -> Mapping[str, Any]:
    """A command's failure."""
    return {"ok": 0.0, "errmsg": text, "code": code, "codeName": name}


def throttled_text(wait_ms: int) -> str:
    """The text of code 16500 (azure-docs, issue 69351)."""
    return (
        f"Error=16500, RetryAfterMs={wait_ms}, Details='Response status code does not indicate success: "
        "TooManyRequests (429); Substatus: 3200; ActivityId: 00000000-0000-0000-0000-000000000000; Reason: (Request "
        "rate is large. More Request Units may be needed, so no changes were made. Please retry this request later.)'"
    )


def throttled(wait_ms: int) -> Mapping[str, Any]:
    """The refusal of a whole command because request units are used up."""
    return error(16500, "RequestRateTooLarge", throttled_text(wait_ms))


def local_answer(message: Message) -> Mapping[str, Any] | None:
    """The answer to a command that needs no store, or None."""
    name = message.name.lower()
    if name in ("ping", "endsessions", "logout"):
        return {"ok": 1.0}
    if name == "buildinfo":
        return {"version": _VERSION, "versionArray": [7, 0, 0, 0], "maxBsonObjectSize": 16 * 1024 * 1024, "ok": 1.0}
    return None


def session_refusal(message: Message, account: Account) -> Refusal | None:
    """Refuses retryable writes, and transactions on sharded collections, which the service does not have."""
    if "txnNumber" not in message.command:
        return None
    if message.command.get("autocommit") is not False:
        return Refusal("CO001", 2, "BadValue", RETRYABLE_WRITES)
    collection = str(next(iter(message.command.values()), ""))
    if message.name in ("commitTransaction", "abortTransaction") or collection in account.shard_keys:
        text = "Transactions are supported on one unsharded collection only"
        return Refusal("CO024", 115, "CommandNotSupported", text)
    return None


def create_collection(message: Message, account: Account) -> Mapping[str, Any]:
    """``customAction: CreateCollection``: the collection with its shard key, as the templates make it."""
    command = message.command
    if command["customAction"] != "CreateCollection":
        return error(115, "CommandNotSupported", f"customAction {command['customAction']} is not supported")
    name = str(command["collection"])
    account.indexes.setdefault(name, [])
    if command.get("shardKey"):
        account.shard_keys[name] = str(command["shardKey"])
    return {"ok": 1.0}


def note_indexes(message: Message, account: Account) -> None:
    """Remember the indexes that a command makes: sorts are checked against them."""
    indexes = account.indexes.setdefault(str(message.command["createIndexes"]), [])
    for index in message.command.get("indexes") or ():
        keys = [(str(field), int(direction)) for field, direction in index["key"].items()]
        if keys not in indexes:
            indexes.append(keys)
