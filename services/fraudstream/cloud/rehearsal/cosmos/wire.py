"""MongoDB's wire protocol as a server sees it: OP_MSG, and OP_QUERY for the first hello of a connection."""

from __future__ import annotations

import asyncio
import struct
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from fraudstream.cloud.rehearsal.net.unread import reading

OP_REPLY = 1
OP_QUERY = 2004
OP_MSG = 2013
MOST_MESSAGE_BYTES = 48_000_000

_HEADER = struct.Struct("<iiii")
_RAW: CodecOptions[Any] = CodecOptions(document_class=RawBSONDocument)
# The endpoint handles sessions and cluster times: the store behind it has neither.
_ENDPOINT_FIELDS = frozenset(("lsid", "$clusterTime", "txnNumber", "autocommit", "startTransaction", "$readPreference"))


@dataclass(frozen=True, slots=True)
class Message:
    """One request: ``command`` has its document sequences as lists; ``bytes`` is the size on the wire."""

    request_id: int
    operation: int
    database: str
    command: dict[str, Any]
    bytes: int

    @property
    def name(self) -> str:
        """The command's name as it was sent."""
        return next(iter(self.command), "")


async def read_message(reader: asyncio.StreamReader, unread: Counter[str]) -> Message:
    """The next request.

    Raises ``IncompleteReadError`` at the connection's end, and :class:`Unreadable` for bytes that are no message, which
    it counts in ``unread``.
    """
    header = await reader.readexactly(16)
    length, request_id, _, operation = _HEADER.unpack(header)
    with reading("MongoDB message", unread):
        if not 16 < length <= MOST_MESSAGE_BYTES:
            raise ValueError(f"a message of {length} bytes")
    body = await reader.readexactly(length - 16)
    with reading("MongoDB message", unread):
        return _decoded(request_id, operation, body, length)


def _decoded(request_id: int, operation: int, body: bytes, length: int) -> Message:
    if operation == OP_MSG:
        command = _decode_msg(body)
        return Message(request_id, operation, str(command.get("$db", "")), command, length)
    if operation == OP_QUERY:
        end = body.index(b"\0", 4)
        database = body[4:end].decode().partition(".")[0]
        return Message(request_id, operation, database, _plain(body[end + 9 :]), length)
    raise ValueError(f"operation {operation} is none of OP_MSG and OP_QUERY")


def encode_reply(message: Message, answer: Mapping[str, Any]) -> bytes:
    """The reply to a request, in the form that the request's operation demands."""
    document = bson.encode(answer)
    if message.operation == OP_QUERY:
        body = struct.pack("<iqii", 8, 0, 0, 1) + document
        return _HEADER.pack(16 + len(body), 0, message.request_id, OP_REPLY) + body
    body = struct.pack("<iB", 0, 0) + document
    return _HEADER.pack(16 + len(body), 0, message.request_id, OP_MSG) + body


def encode_request(request_id: int, database: str, command: Mapping[str, Any]) -> bytes:
    """A request to the store, without the fields that the store does not have."""
    kept = {name: value for name, value in command.items() if name not in _ENDPOINT_FIELDS}
    body = struct.pack("<iB", 0, 0) + bson.encode(kept | {"$db": database})
    return _HEADER.pack(16 + len(body), request_id, 0, OP_MSG) + body


async def read_answer(reader: asyncio.StreamReader) -> tuple[dict[str, Any], int]:
    """The store's answer and its size in bytes."""
    length, _, _, operation = _HEADER.unpack(await reader.readexactly(16))
    body = await reader.readexactly(length - 16)
    if operation != OP_MSG:
        raise ValueError(f"the store answered with operation {operation}")
    return _decode_msg(body), length


def _decode_msg(body: bytes) -> dict[str, Any]:
    flags = struct.unpack_from("<i", body)[0]
    end = len(body) - 4 if flags & 1 else len(body)
    position = 4
    command: dict[str, Any] = {}
    sequences: dict[str, list[Any]] = {}
    while position < end:
        kind = body[position]
        size = struct.unpack_from("<i", body, position + 1)[0]
        section = body[position + 1 : position + 1 + size]
        position += 1 + size
        if kind == 0:
            command = _plain(section)
        elif kind == 1:
            name_end = section.index(b"\0", 4)
            sequences[section[4:name_end].decode()] = bson.decode_all(section[name_end + 1 :], _RAW)
        else:
            raise ValueError(f"a section of kind {kind}")
    return command | sequences


def _plain(section: bytes) -> dict[str, Any]:
    """The top level as a dict, all inside as raw bytes: documents go on unchanged."""
    return dict(bson.decode(section[: struct.unpack_from("<i", section)[0]], _RAW).items())
