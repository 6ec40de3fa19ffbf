"""The model's inputs that the project's query computes: the same query over all stored transactions.

Each row gets what was known at its moment: the query looks back alone, and labels are not given to it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
from bson.datetime_ms import DatetimeMS
from bson.decimal128 import Decimal128

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import COMPUTED_FEATURES, PROJECT, RESERVED_FIELDS, RULES
from fraudstream.core.documents import client as documents
from fraudstream.core.documents.scans import scanned
from fraudstream.core.documents.throttling import WriteLimits
from fraudstream.ml.features import EVENT_TIME, ID, LABEL
from fraudstream.ml.usable import CAMPAIGN, LeftOut, Omission

_BATCH = 5_000
_NAMED = 5
# What a document holds beside its event, and what no event has when it is scored.
_BESIDE = frozenset((*RESERVED_FIELDS, *COMPUTED_FEATURES))
_UNKNOWN = tuple(RULES[name].path for name in (LABEL, CAMPAIGN) if name is not None)
_NOTHING_COMPUTED = "the query gives the model no record of it"


def stored_events(settings: Settings) -> Iterator[bytes]:
    """All stored transactions as events without labels, JSON, in the order in which the stream job takes them.

    That is by their times; of one moment by their arrival, where it was that of a live event, and then by their ids.
    Raises ``PyMongoError``.
    """
    transactions = documents.database(settings)[documents.TRANSACTIONS]
    batches = scanned(lambda: iter(transactions.find({}, batch_size=_BATCH)), _BATCH, WriteLimits.of(settings))
    yield from ordered_events(chain.from_iterable(batches))


def ordered_events(stored: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """The events of documents, as :func:`stored_events` gives them."""
    placed = [(_place(document), _event(document)) for document in stored]
    placed.sort(key=lambda pair: pair[0])
    return (event for _, event in placed)


def _place(document: Mapping[str, Any]) -> tuple[Any, ...]:
    moment, arrived = document.get(EVENT_TIME), document.get("enqueued_at")
    source = document.get("source")
    place = (source.get("partition"), source.get("offset")) if isinstance(source, Mapping) else ()
    is_live = document.get("origin") == "live" and isinstance(arrived, datetime) and all(map(_is_whole, place))
    return (_milliseconds(moment), is_live, (_milliseconds(arrived), *place) if is_live else (), document["_id"])


def _is_whole(value: Any) -> bool:
    return isinstance(value, int)


def _milliseconds(moment: Any) -> int:
    return int(moment if isinstance(moment, DatetimeMS) else DatetimeMS(moment)) if moment is not None else 0


def _event(document: Mapping[str, Any]) -> bytes:
    event = {name: value for name, value in document.items() if name not in _BESIDE} | {ID: document["_id"]}
    for path in _UNKNOWN:
        event = _without(event, path)
    arrived = document.get("enqueued_at")
    if document.get("origin") == "live" and isinstance(arrived, datetime):
        event["EventEnqueuedUtcTime"] = arrived.replace(tzinfo=UTC) if arrived.tzinfo is None else arrived
    return orjson.dumps(event, default=_written, option=orjson.OPT_NON_STR_KEYS)


def _without(event: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    first, *others = path
    inner = event.get(first)
    rest = {name: value for name, value in event.items() if name != first}
    return rest | {first: _without(inner, tuple(others))} if others and isinstance(inner, Mapping) else rest


def _written(value: Any) -> Any:
    """What JSON has no word for: a decimal with all its digits."""
    return orjson.Fragment(str(value)) if isinstance(value, Decimal128) else str(value)


def with_computed(settings: Settings, rows: pd.DataFrame, left_out: LeftOut) -> tuple[pd.DataFrame, LeftOut]:
    """Usable rows with what the query computes, and which were left out, those without a record included.

    Spark runs on this machine meanwhile. Raises ``PyMongoError``, :class:`QueryError` and :class:`QueryStopped` for the
    query, :class:`FraudstreamError` where Spark fails.
    """
    if not COMPUTED_FEATURES or rows.empty:
        return rows, left_out
    from fraudstream.asaql.running.inputs_of_model import computed_inputs

    with tempfile.TemporaryDirectory(prefix="fraudstream-inputs-") as folder:
        events = Path(folder) / "events.jsonl"
        with events.open("wb") as file:
            file.writelines(event + b"\n" for event in stored_events(settings))
        with computed_inputs(PROJECT, events) as lines:
            return joined(rows, left_out, lines)


def joined(rows: pd.DataFrame, left_out: LeftOut, lines: Iterable[bytes]) -> tuple[pd.DataFrame, LeftOut]:
    """The rows with the columns of ``lines``, JSON, by their ids."""
    computed = [orjson.loads(line) for line in lines]
    places = {row[ID]: place for place, row in enumerate(computed)}
    found = [places.get(id, -1) for id in rows[ID].tolist()]
    has_record = np.array(found) >= 0
    kept = rows[has_record].reset_index(drop=True)
    for name in COMPUTED_FEATURES:
        values = np.array([row[name] for row in computed], dtype=np.float64)  # None is NaN there
        kept[name] = values[[place for place in found if place >= 0]]
    without = rows[ID][~has_record].tolist()
    if without:
        omission = Omission(_NOTHING_COMPUTED, len(without), tuple(map(str, without[:_NAMED])))
        left_out = LeftOut((*left_out.reasons, omission))
    return kept, left_out
