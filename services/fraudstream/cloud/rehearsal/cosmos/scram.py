"""SCRAM sign-in of Cosmos DB's endpoint: an account name, and two keys that are both valid."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from scramp import ScramException, ScramMechanism

MECHANISMS = ("SCRAM-SHA-1", "SCRAM-SHA-256")
_ITERATIONS = {"SCRAM-SHA-1": 10_000, "SCRAM-SHA-256": 15_000}
# One salt for the process: it takes milliseconds to derive a key, and clients keep derived keys by salt.
_SALT = secrets.token_bytes(24)


class Conversation:
    """One sign-in. :attr:`done` is True once the client has proved that it has one of the keys."""

    def __init__(self, mechanism: str, account: str, keys: Sequence[str]) -> None:
        scram = ScramMechanism(mechanism)
        self._servers: list[Any] = []
        # One nonce for all keys: the client answers a single first message, with the key that it has.
        nonce = secrets.token_urlsafe(24)
        for key in keys:
            server = scram.make_server(_Accounts({account: _derived(mechanism, account, key)}), s_nonce=nonce)
            self._servers.append(server)
        self.done = False

    def first(self, payload: bytes) -> bytes:
        """The server's first message. Raises ``ScramException`` for an unknown account."""
        answers = []
        for server in self._servers:
            server.set_client_first(payload.decode())
            answers.append(server.get_server_first())
        return str(answers[0]).encode()

    def final(self, payload: bytes) -> bytes:
        """The server's final message. Raises ``ScramException`` when the proof fits no key."""
        problem: ScramException | None = None
        for server in self._servers:
            try:
                server.set_client_final(payload.decode())
            except ScramException as error:
                problem = error
            else:
                self.done = True
                return str(server.get_server_final()).encode()
        raise problem or ScramException("no key")


class _Accounts:
    def __init__(self, infos: Mapping[str, Any]) -> None:
        self._infos = infos

    def __call__(self, username: str) -> Any:
        try:
            return self._infos[str(username)]
        except KeyError as error:
            raise ScramException(f"the account {username} does not exist") from error


@cache
def _derived(mechanism: str, account: str, key: str) -> Any:
    password = _digest(account, key) if mechanism == "SCRAM-SHA-1" else key
    return ScramMechanism(mechanism).make_auth_info(password, iteration_count=_ITERATIONS[mechanism], salt=_SALT)


def _digest(account: str, key: str) -> str:
    """MongoDB's SCRAM-SHA-1 takes this digest for the password (driver authentication specification)."""
    return hashlib.md5(f"{account}:mongo:{key}".encode(), usedforsecurity=False).hexdigest()
