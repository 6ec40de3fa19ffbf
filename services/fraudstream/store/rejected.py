"""Rejected events: finding them, and sending corrected ones back to `transactions`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from pymongo import DESCENDING
from pymongo.errors import PyMongoError

from fraudstream.core import documents
from fraudstream.core.errors import EventError
from fraudstream.core.event import parse_event
from fraudstream.core.kafka import producer
from fraudstream.core.settings import Settings
from fraudstream.core.topics import TRANSACTIONS


def find(settings: Settings, field: str = "", limit: int = 20) -> list[documents.Document]:
    """The newest rejected events, of one field if given. Raises :class:`StoreUnavailable`."""
    chosen = {"field": field} if field else {}
    try:
        rejected = documents.database(settings)[documents.REJECTED]
        return list(rejected.find(chosen).sort("rejected_at", DESCENDING).limit(limit))
    except PyMongoError as error:
        raise documents.unavailable(error, settings.mongo_uri.get_secret_value()) from error


def send_back(settings: Settings, ids: Sequence[str], changes: Mapping[str, Any]) -> list[str]:
    """Apply ``changes`` to the named events and send them; returns the ids of the rejected events sent.

    All or none: raises :class:`EventError` before anything is sent when one is unknown, was cut for its size, is no
    JSON object or still breaks the contract.
    """
    try:
        rejected = documents.database(settings)[documents.REJECTED]
        found = {made["_id"]: made for made in rejected.find({"_id": {"$in": list(ids)}})}
    except PyMongoError as error:
        raise documents.unavailable(error, settings.mongo_uri.get_secret_value()) from error
    corrected = {number: _corrected(number, found.get(number), changes) for number in ids}
    sender = producer(settings)
    try:
        for value in corrected.values():
            sender.send(TRANSACTIONS, key=str(parse_event(value).id).encode(), value=value)
        sender.flush()
    finally:
        sender.close()
    return list(corrected)


def _corrected(number: str, made: documents.Document | None, changes: Mapping[str, Any]) -> bytes:
    if made is None:
        raise EventError(f"{number}: no such rejected event. `fraudstream rejected list` shows them.")
    raw = bytes(made["raw"])
    if len(raw) < made["raw_bytes"]:
        raise EventError(f"{number}: only {len(raw):,} of its {made['raw_bytes']:,} bytes are kept; send it anew.")
    if changes:
        try:
            event = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise EventError(f"{number}: is no JSON ({error}), so that no field can be set; send it anew.") from error
        if not isinstance(event, dict):
            raise EventError(f"{number}: is no JSON object, so that no field can be set; send it anew.")
        raw = orjson.dumps({**event, **changes})
    try:
        parse_event(raw)
    except EventError as error:
        raise EventError(f"{number}: still not valid, {error}. Correct it with --set field=value.") from error
    return raw
