"""The operations of a document store that the pages use, as protocols; pymongo's database satisfies them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Cursor(Protocol):
    """A cursor's operations that the pages use."""

    def __iter__(self) -> Any: ...
    def sort(self, field: str, direction: int, /) -> Cursor: ...
    def limit(self, number: int, /) -> Cursor: ...


class Documents(Protocol):
    """A collection's operations that the pages use."""

    def find(self, filter: Mapping[str, Any], projection: Any = None, /) -> Cursor: ...


class Store(Protocol):
    """A database: pymongo's, or one in memory."""

    def __getitem__(self, name: str, /) -> Documents: ...
