"""Verdicts into the store: of those on one transaction the latest stays, in whatever order and however often they come.

No step depends on what an upsert does where its filter finds no document, which stores answer in different ways: each
verdict is inserted, and where there is one already, it takes the place of an older one. Verdicts are never deleted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo.database import Database

from fraudstream.core.documents.client import VERDICTS, Document
from fraudstream.core.documents.throttling import Encoded, Patience, Refused, WriteLimits, insert_new, replace_where

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def latest(verdicts: Iterable[Document]) -> dict[Any, Document]:
    """The latest verdict on each id; of two of one moment the one that says fraud."""
    winners: dict[Any, Document] = {}
    for verdict in verdicts:
        known = winners.get(verdict["_id"])
        if known is None or _order(known) < _order(verdict):
            winners[verdict["_id"]] = verdict
    return winners


def write_verdicts(
    db: Database[Document], verdicts: Iterable[Document], limits: WriteLimits, patience: Patience | None = None
) -> list[Refused]:
    """Write documents of `verdicts`; an older one than the stored one changes nothing. Returns the refused ones.

    Raises ``PyMongoError``, and :class:`StoreUnavailable`.
    """
    encoded = [Encoded.of(verdict) for verdict in latest(verdicts).values()]
    outcome = insert_new(db[VERDICTS], encoded, limits, patience)
    replaced = replace_where(db[VERDICTS], outcome.taken, _is_older, limits, patience) if outcome.taken else []
    return [*outcome.refused, *replaced]


def _is_older(verdict: Mapping[str, Any]) -> dict[str, Any]:
    """The condition that the stored verdict meets where ``verdict`` takes its place."""
    moment, label = verdict["observed_at"], verdict["label"]
    return {"$or": [{"observed_at": {"$lt": moment}}, {"observed_at": moment, "label": {"$lt": label}}]}


def _order(verdict: Document) -> tuple[int, int]:
    # Documents hold milliseconds.
    return (verdict["observed_at"] - _EPOCH) // timedelta(milliseconds=1), verdict["label"]
