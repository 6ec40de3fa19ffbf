"""Cosmos DB's endpoint for MongoDB (RU), with its rules, in front of the local document store.

It speaks MongoDB's wire protocol over TLS, signs clients in by account name and key, refuses with the service's codes
what the service refuses, and counts request units.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any

import structlog
from scramp import ScramException

from fraudstream.cloud.rehearsal.cosmos import commands
from fraudstream.cloud.rehearsal.cosmos.account import Account, CosmosFigures
from fraudstream.cloud.rehearsal.cosmos.request_units import Budget, read_charge
from fraudstream.cloud.rehearsal.cosmos.scram import Conversation
from fraudstream.cloud.rehearsal.cosmos.wire import Message, encode_reply, encode_request, read_answer, read_message
from fraudstream.cloud.rehearsal.cosmos.writes import WRITES, Writer
from fraudstream.cloud.rehearsal.net.listening import Listening
from fraudstream.cloud.rehearsal.net.unread import Unreadable, reading
from fraudstream.cloud.rules.mongo_support import refusal
from fraudstream.cloud.rules.refusals import Refusal

log = structlog.get_logger(__name__)


class CosmosEndpoint(Listening):
    """The endpoint; :meth:`start` listens, :meth:`stop` ends all connections."""

    def __init__(self, account: Account, store: tuple[str, int]) -> None:
        super().__init__()
        self.account = account
        self.budget = Budget(account.units_per_second)
        self.figures = CosmosFigures()
        self.port = 0
        self._store = store

    async def start(self, context: ssl.SSLContext, port: int = 0) -> None:
        """Listen with TLS; ``port`` 0 takes a free one."""
        self.port = await self.listen(self._serve, context, port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.figures.connections += 1
        session = _Session(self)
        try:
            while True:
                message = await asyncio.wait_for(read_message(reader, self.figures.unread), self.account.idle_seconds)
                answer = await self._answered(session, message)
                if answer is None:
                    return
                writer.write(encode_reply(message, answer))
                await writer.drain()
        except TimeoutError:
            self.figures.idle_cuts += 1
        except (asyncio.IncompleteReadError, ConnectionError, Unreadable, ssl.SSLError):
            pass  # the connection ended, or the unreadable message was counted
        finally:
            session.close()

    async def _answered(self, session: _Session, message: Message) -> Mapping[str, Any] | None:
        """The answer to a message. Counts a command as unread if its fields are not those of its name."""
        try:
            return await session.answer(message)
        except (OSError, asyncio.IncompleteReadError):
            raise
        except Exception as error:
            with reading(f"MongoDB command {message.name[:40]}", self.figures.unread):
                raise error


class _Session:
    """One connection's state: its sign-in, and its own connection to the store."""

    def __init__(self, endpoint: CosmosEndpoint) -> None:
        self._endpoint = endpoint
        self._conversation: Conversation | None = None
        self._app_name = ""
        self._behind: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._number = 0

    async def answer(self, message: Message) -> Mapping[str, Any] | None:
        """The answer to a request; None ends the connection."""
        endpoint, name = self._endpoint, message.name
        account = endpoint.account
        endpoint.figures.commands[name] += 1
        if name.lower() in ("hello", "ismaster"):
            application = (message.command.get("client") or {}).get("application") or {}
            self._app_name = str(application.get("name", "")) or self._app_name
            if self._app_name != f"@{account.name}@":
                endpoint.figures.refusals["CO007"] += 1
                return None
            return commands.hello(endpoint.port)
        if name in ("saslStart", "saslContinue"):
            return self._sign_in(message)
        if self._conversation is None or not self._conversation.done:
            return commands.error(13, "Unauthorized", "Command requires authentication")
        local = commands.local_answer(message)
        if local is not None:
            return local
        refused = self._refusal(message)
        if refused is not None:
            endpoint.figures.refusals[refused.rule] += 1
            return commands.error(refused.code, refused.code_name, refused.message)
        if name == "customAction":
            return commands.create_collection(message, account)
        if name in WRITES:
            return await Writer(endpoint.account, endpoint.budget, endpoint.figures, self.ask).write(message)
        return await self._read(message)

    async def ask(self, database: str, command: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
        """Send a command to the store; returns its answer and the answer's size in bytes."""
        if self._behind is None:
            self._behind = await asyncio.open_connection(*self._endpoint._store, limit=2**20)
        reader, writer = self._behind
        self._number += 1
        writer.write(encode_request(self._number, database, command))
        await writer.drain()
        return await read_answer(reader)

    def close(self) -> None:
        """End the connection to the store."""
        if self._behind is not None:
            self._behind[1].close()

    async def _read(self, message: Message) -> Mapping[str, Any]:
        endpoint = self._endpoint
        wait = endpoint.budget.wait_ms()
        if wait is not None:
            endpoint.figures.reads_throttled += 1
            endpoint.figures.refusals["CO026"] += 1
            return commands.throttled(wait)
        if message.name == "createIndexes":
            refused = await self._unique_on_documents(message)
            if refused is not None:
                endpoint.figures.refusals[refused.rule] += 1
                return commands.error(refused.code, refused.code_name, refused.message)
            commands.note_indexes(message, endpoint.account)
        answer, size = await self.ask(message.database, message.command)
        endpoint.budget.charge(read_charge(size))
        return answer

    def _refusal(self, message: Message) -> Refusal | None:
        account = self._endpoint.account
        if message.bytes > account.request_bytes + 64 * 1024:
            return Refusal("CO017", 16, "RequestEntityTooLarge", commands.TOO_LARGE)
        session = commands.session_refusal(message, account)
        if session is not None:
            return session
        collection = str(next(iter(message.command.values()), ""))
        return refusal(message.command, account.indexes.get(collection, []))

    async def _unique_on_documents(self, message: Message) -> Refusal | None:
        collection = str(message.command["createIndexes"])
        shard_key = self._endpoint.account.shard_keys.get(collection)
        for index in message.command.get("indexes") or ():
            if not index.get("unique"):
                continue
            fields = list(index["key"])
            if shard_key and fields[0] != shard_key:
                over = f"{{{fields[0]} : 1.0}} with shard key pattern {{ {shard_key} : 1.0 }}"
                return Refusal("CO020", 67, "CannotCreateIndex", f"cannot create unique index over {over}")
            answer, _ = await self.ask(message.database, {"find": collection, "filter": {}, "limit": 1})
            if (answer.get("cursor") or {}).get("firstBatch"):
                return Refusal(
                    "CO020", 67, "CannotCreateIndex", "Cannot create unique index when collection contains documents"
                )
        return None

    def _sign_in(self, message: Message) -> Mapping[str, Any]:
        account = self._endpoint.account
        try:
            payload = bytes(message.command["payload"])
            if message.name == "saslStart":
                mechanism = str(message.command.get("mechanism"))
                self._conversation = Conversation(mechanism, account.name, account.keys)
                return commands.sasl(self._conversation.first(payload), done=False)
            if self._conversation is None:
                raise ScramException("no conversation")
            if self._conversation.done:
                return commands.sasl(b"", done=True)
            return commands.sasl(self._conversation.final(payload), done=True)
        except (ScramException, KeyError, ValueError):
            self._endpoint.figures.refusals["CO004"] += 1
            self._conversation = None
            return commands.error(18, "AuthenticationFailed", "Authentication failed.")
