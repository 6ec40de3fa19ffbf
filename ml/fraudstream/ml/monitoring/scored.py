"""The newest scored transactions in the store: what the model was given, what it said, and what is known since."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pymongo import DESCENDING
from pymongo.errors import PyMongoError

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.documents import client as documents
from fraudstream.core.documents.stored import number
from fraudstream.core.documents.throttling import WriteLimits, patiently
from fraudstream.ml.features import EVENT_TIME, ID, LABEL
from fraudstream.ml.history import LIVE, rows_of
from fraudstream.ml.labelled import read_verdicts, with_verdict
from fraudstream.ml.usable import CAMPAIGN, LeftOut, sort_rows


@dataclass(frozen=True, slots=True)
class Scored:
    """Transactions in the order of time, as :data:`fraudstream.ml.usable.COLUMNS`, and arrays of shape (rows,).

    ``scores`` are NaN where a document has none, ``versions`` empty there; ``labels`` are -1 where none is known.
    """

    rows: pd.DataFrame
    scores: np.ndarray
    alerts: np.ndarray
    versions: np.ndarray
    labels: np.ndarray
    campaigns: np.ndarray
    left_out: LeftOut

    def of_version(self, version: str) -> np.ndarray:
        """Which rows this version scored, and no other one, bool, shape (rows,)."""
        return np.asarray((self.versions == version) & ~np.isnan(self.scores))


def read_newest(settings: Settings, count: int) -> Scored:
    """The ``count`` live transactions that arrived last. Raises :class:`StoreUnavailable`."""
    try:
        newest = documents.database(settings)[documents.TRANSACTIONS].find({"origin": LIVE})
        newest = newest.sort("enqueued_at", DESCENDING).limit(count)
        stored = patiently(lambda: list(newest.clone()), WriteLimits.of(settings))
        verdicts = read_verdicts(settings, [document["_id"] for document in stored])
    except PyMongoError as error:
        raise documents.unavailable(error, settings.mongo_uri.get_secret_value()) from error
    return scored_of(stored, verdicts)


def scored_of(stored: list[dict[str, Any]], verdicts: dict[Any, Any]) -> Scored:
    """Documents and the verdicts on some of them, by their ids."""
    # A label is needed by the rules of labelled rows; whether it is known is told apart.
    unknown = {"label": 0}
    history = rows_of(
        [sort_rows([with_verdict(document, verdicts.get(document["_id"], unknown)) for document in stored])]
    )
    rows = history.rows.sort_values([EVENT_TIME, ID], ignore_index=True)
    by_id = {document["_id"]: document for document in stored}
    kept = [by_id[id] for id in rows[ID].tolist()]
    scores = [number(document.get("score")) for document in kept]
    known = rows[ID].isin(list(verdicts)).to_numpy()
    labels = rows[LABEL].to_numpy()
    named = rows[CAMPAIGN].fillna("").to_numpy(dtype=object) if CAMPAIGN else np.full(len(rows), "", dtype=object)
    return Scored(
        rows,
        np.array([np.nan if score is None else score for score in scores], dtype=np.float64),
        np.array([document.get("prediction") == 1 for document in kept], dtype=bool),
        np.array([str(document.get("model_version") or "") for document in kept], dtype=object),
        np.where(known, labels, -1),
        np.where(known & (labels == 1), named, ""),
        history.left_out,
    )
