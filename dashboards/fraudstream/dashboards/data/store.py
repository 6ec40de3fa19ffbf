"""A document store, as far as the pages need one: pymongo's database has this shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Found(Protocol):
    """A cursor, as far as the pages need one."""

    def __iter__(self) -> Any: ...
    def sort(self, field: str, direction: int, /) -> Found: ...
    def limit(self, number: int, /) -> Found: ...


class Documents(Protocol):
    """A collection, as far as the pages need one."""

    def find(self, filter: Mapping[str, Any], projection: Any = None, /) -> Found: ...


class Store(Protocol):
    """A database: pymongo's, or one in memory."""

    def __getitem__(self, name: str, /) -> Documents: ...
