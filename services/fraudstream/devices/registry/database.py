"""The one place where a hub's state is kept: a SQLite file, of which a commit survives a kill and a power cut."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from fraudstream.core.errors import ConfigurationError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS devices (
    id TEXT PRIMARY KEY, identity BLOB NOT NULL, twin BLOB NOT NULL, parent TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS children ON devices (parent);
CREATE TABLE IF NOT EXISTS policies (name TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS messages (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, lock TEXT, locked_until REAL NOT NULL DEFAULT 0,
    expires REAL NOT NULL, properties BLOB NOT NULL, body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS waiting ON messages (device, sequence);
CREATE TABLE IF NOT EXISTS feedback (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, record BLOB NOT NULL, expires REAL NOT NULL,
    lock TEXT, locked_until REAL NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS outbox (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, topic TEXT NOT NULL, body BLOB NOT NULL,
    expires REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS outgoing ON outbox (device, sequence);
"""


class Database:
    """One connection, for one thread: SQLite's answers take some ten microseconds."""

    def __init__(self, file: Path) -> None:
        """Open or create the file, for its owner alone. Raises :class:`ConfigurationError`."""
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
            self._connection = sqlite3.connect(file, isolation_level=None, timeout=10)
            self._connection.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {_SCHEMA}")
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(
                f"{file} cannot be opened ({error}). Make its folder writable; a damaged file can be moved aside, and "
                "the hub then starts without devices."
            ) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows that a statement gives."""
        return self._connection.execute(statement, values).fetchall()

    def row(self, statement: str, *values: object) -> tuple[Any, ...] | None:
        """The first row that a statement gives."""
        row: tuple[Any, ...] | None = self._connection.execute(statement, values).fetchone()
        return row

    def change(self, statement: str, *values: object) -> int:
        """Run a statement; returns how many rows it changed."""
        return self._connection.execute(statement, values).rowcount

    def insert(self, statement: str, *values: object) -> int:
        """Run an INSERT; returns the number of the row."""
        return int(self._connection.execute(statement, values).lastrowid or 0)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def packed(value: Any) -> bytes:
    """A JSON value as it is kept."""
    return orjson.dumps(value)
