"""An account of Cosmos DB as it was deployed, and its endpoint's figures."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from fraudstream.cloud.rules.documents import DOCUMENT_BYTES
from fraudstream.cloud.rules.quotas import IDLE_SECONDS
from fraudstream.core.contract.limits import REQUEST


@dataclass(slots=True)
class Account:
    """The account as it was deployed. ``indexes``: collection → fields and directions of each secondary index."""

    name: str
    keys: list[str]
    indexes: dict[str, list[list[tuple[str, int]]]] = field(default_factory=dict)
    shard_keys: dict[str, str] = field(default_factory=dict)
    units_per_second: float = 4_000.0
    idle_seconds: float = IDLE_SECONDS
    document_bytes: int = DOCUMENT_BYTES
    request_bytes: int = REQUEST.cosmos.most or 0


@dataclass(slots=True)
class CosmosFigures:
    """The endpoint's counts: refusals by rule, writes in single operations, ``unread`` messages by kind."""

    commands: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    unread: Counter[str] = field(default_factory=Counter)
    writes: int = 0
    writes_throttled: int = 0
    reads_throttled: int = 0
    connections: int = 0
    idle_cuts: int = 0
    largest_document: int = 0
