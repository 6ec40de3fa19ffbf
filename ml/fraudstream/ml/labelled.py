"""Every stored transaction whose label is known: labelled history, and live ones on which a verdict came later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd
from pymongo.errors import PyMongoError

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import RULES
from fraudstream.core.documents import client as documents
from fraudstream.core.documents.scans import scanned
from fraudstream.core.documents.throttling import WriteLimits
from fraudstream.ml.features import EVENT_TIME, ID, LABEL
from fraudstream.ml.history import LIVE, History, completed, rows_of, stored_history
from fraudstream.ml.usable import CAMPAIGN, sort_rows

_BATCH = 1_000


def read_labelled(settings: Settings) -> History:
    """The labelled history with the latest verdicts, and the live transactions with theirs, in the order of time.

    Raises as :func:`~fraudstream.ml.history.read_history` does.
    """
    try:
        history = stored_history(settings)
        verdicts = read_verdicts(settings)
        if not verdicts:
            return completed(settings, history)
        live = rows_of(sort_rows(batch) for batch in _judged(settings, verdicts))
        rows = pd.concat([history.rows, live.rows], ignore_index=True)
        corrected = rows[ID].map({id: verdict["label"] for id, verdict in verdicts.items()})
        rows[LABEL] = corrected.fillna(rows[LABEL]).astype("int64")
        ordered = rows.sort_values([EVENT_TIME, ID], ignore_index=True)
        return completed(settings, History(ordered, history.left_out))
    except PyMongoError as error:
        raise documents.unavailable(error, settings.mongo_uri.get_secret_value()) from error


def read_verdicts(settings: Settings, ids: list[Any] | None = None) -> dict[Any, Mapping[str, Any]]:
    """The latest verdict on each of the transactions, or on all, by their ids. Raises ``PyMongoError``."""
    verdicts = documents.database(settings)[documents.VERDICTS]
    if ids is not None:
        return {verdict["_id"]: verdict for some in _parts(ids) for verdict in verdicts.find({"_id": {"$in": some}})}
    batches = scanned(lambda: iter(verdicts.find({}, batch_size=_BATCH)), _BATCH, WriteLimits.of(settings))
    return {verdict["_id"]: verdict for batch in batches for verdict in batch}


def _judged(settings: Settings, verdicts: Mapping[Any, Mapping[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """The live transactions with their verdicts' labels, in batches."""
    transactions = documents.database(settings)[documents.TRANSACTIONS]
    for some in _parts(verdicts):
        stored = transactions.find({"_id": {"$in": some}, "origin": LIVE})
        yield [with_verdict(document, verdicts[document["_id"]]) for document in stored]


def _parts(ids: Iterable[Any]) -> Iterator[list[Any]]:
    every = list(ids)
    yield from (every[start : start + _BATCH] for start in range(0, len(every), _BATCH))


def with_verdict(document: Mapping[str, Any], verdict: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the verdict's label, and its campaign if it names one, where the project has them."""
    label = int(verdict["label"])
    judged = _with(document, RULES[LABEL].path, bool(label) if RULES[LABEL].kind == "bool" else label)
    if CAMPAIGN is not None and verdict.get("campaign") is not None:
        judged = _with(judged, RULES[CAMPAIGN].path, verdict["campaign"])
    return judged


def _with(document: Mapping[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """A copy in which the field at the path has the value."""
    first, *others = path
    inner = document.get(first)
    changed = _with(inner if isinstance(inner, Mapping) else {}, tuple(others), value) if others else value
    return {**document, first: changed}
