"""Reads the labelled history from the document store.

It is read here, and not through Spark: one reader alone spares the store, which would scan the whole collection for
each range of ids, and a training without an algorithm of Spark's then starts in a second.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import bson
import numpy as np
import pandas as pd
import pyarrow as pa
from bson.codec_options import CodecOptions
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from pymongo.errors import PyMongoError

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import OPTIONAL_FEATURES
from fraudstream.core.contract.field_rules import FieldRule
from fraudstream.core.contract.topics import LABELS
from fraudstream.core.documents import client as documents
from fraudstream.core.documents.paths import projection
from fraudstream.core.documents.scans import scanned
from fraudstream.core.documents.stored import RAW, read
from fraudstream.core.documents.throttling import WriteLimits, patiently
from fraudstream.core.errors import ModelError
from fraudstream.ml.computed import with_computed
from fraudstream.ml.features import EVENT_TIME, ID, LABEL
from fraudstream.ml.usable import ASIDE, COLUMNS, NOTHING_LEFT_OUT, RULES, LeftOut, SortedRows, sort_rows

HISTORY, LIVE = "history", "live"

_BATCH = 5_000
_POLL_SECONDS = 0.5
# After so long without a new labelled transaction or rejection, no more will come.
_STALLED_SECONDS = 600.0
_ARROW = {"BIGINT": pa.int64(), "DOUBLE": pa.float64(), "STRING": pa.string(), "BOOLEAN": pa.bool_()}
_PLACEHOLDERS: dict[str, Any] = {"BIGINT": 0, "DOUBLE": 0.0, "STRING": "", "BOOLEAN": False}


def _column_type(rule: FieldRule) -> str:
    """A column's type. An integer that may be missing is a double: pandas has no missing integers."""
    if rule.name == LABEL:
        return "BIGINT"
    return "DOUBLE" if rule.kind == "int" and rule.name in OPTIONAL_FEATURES else rule.spark_type


_TYPES = (
    {rule.name: _column_type(rule) for rule in RULES} | {rule.name: "STRING" for rule in ASIDE} | {EVENT_TIME: "BIGINT"}
)
# Numbered, so that no field's name is that of a column beside those of usable rows: the id of a row that is left out,
# and the reason.
_NUMBERED = tuple(f"c{number}" for number in range(len(COLUMNS)))
_LEFT_ID, _LEFT_REASON = "left_id", "left_reason"
_SCHEMA = pa.schema(
    [(column, _ARROW[_TYPES[name]]) for column, name in zip(_NUMBERED, COLUMNS, strict=True)]
    + [(_LEFT_ID, pa.string()), (_LEFT_REASON, pa.string())]
)


@dataclass(frozen=True, slots=True)
class History:
    """The labelled history: its usable rows, with :data:`COLUMNS`, and which rows were left out."""

    rows: pd.DataFrame
    left_out: LeftOut


def read_history(settings: Settings) -> History:
    """The labelled history in the store, with what the project's query computes for the model.

    Raises :class:`StoreUnavailable`, and as :func:`~fraudstream.ml.computed.with_computed` does.
    """
    try:
        return completed(settings, stored_history(settings))
    except PyMongoError as error:
        raise documents.unavailable(error, settings.mongo_uri.get_secret_value()) from error


def stored_history(settings: Settings) -> History:
    """The labelled history as its documents have it. Raises ``PyMongoError``."""
    return rows_of(sort_rows(batch) for batch in stored_batches(settings))


def completed(settings: Settings, history: History) -> History:
    """The history with what the project's query computes for the model. Raises ``PyMongoError``, and as that does."""
    return History(*with_computed(settings, history.rows, history.left_out))


def rows_of(batches: Iterable[SortedRows]) -> History:
    """The rows of several batches as one frame."""
    frame = pa.Table.from_batches(map(record_batch, batches), _SCHEMA).to_pandas()
    unusable = frame[_LEFT_REASON].notna()
    left_out = frame[unusable]
    rows = frame.loc[~unusable, list(_NUMBERED)].set_axis(list(COLUMNS), axis=1).reset_index(drop=True)
    return History(rows, LeftOut.of(zip(left_out[_LEFT_ID], left_out[_LEFT_REASON], strict=True)))


def stored_batches(settings: Settings) -> Iterator[list[dict[str, Any]]]:
    """The stored labelled transactions in batches. Raises as :func:`scanned` does."""
    database = documents.database(settings)
    # An id may be text that is not UTF-8. With this handler two different ids stay different.
    lenient = database.codec_options.with_options(unicode_decode_error_handler="surrogateescape")
    wanted = projection((EVENT_TIME,), (rule.path for rule in (*RULES, *ASIDE) if rule.name != ID))

    def query() -> Iterator[dict[str, Any]]:
        # Any, because PyMongo's types do not say that each batch is bytes.
        batches: Any = database[documents.TRANSACTIONS].find_raw_batches({"origin": HISTORY}, wanted, batch_size=_BATCH)
        return chain.from_iterable(_decoded(batch, lenient) for batch in batches)

    yield from scanned(query, _BATCH, WriteLimits.of(settings))


def _decoded(batch: bytes, options: CodecOptions[Any]) -> list[dict[str, Any]]:
    """The documents of a batch. One that cannot be decoded, for example a deeply nested one, is read field by field."""
    try:
        return bson.decode_all(batch, options)
    except BSONError:
        raw_documents = bson.decode_iter(batch, options.with_options(document_class=RAW))
        return [_decoded_alone(document, options) for document in raw_documents]


def _decoded_alone(document: RawBSONDocument, options: CodecOptions[Any]) -> dict[str, Any]:
    try:
        return bson.decode(document.raw, options)
    except BSONError:
        return read(document)


def record_batch(rows: SortedRows) -> pa.RecordBatch:
    """Usable rows, then those that are left out; each fills its own columns alone."""
    left_out = len(rows.left_out)
    usable = len(rows.columns.get(ID, ()))
    arrays = []
    for name in COLUMNS:
        values = rows.columns.get(name, [])
        # Without None: pandas turns an integer column that has one into floats, which changes large ids.
        padding = [_PLACEHOLDERS[_TYPES[name]]] * left_out
        if _TYPES[name] == "DOUBLE":
            values = np.array(values, dtype=np.float64).tolist()  # None is NaN there
        arrays.append(pa.array([*values, *padding], _ARROW[_TYPES[name]]))
    for part in (0, 1):
        values = [row[part] for row in rows.left_out]
        arrays.append(pa.array([*[None] * usable, *values], pa.string()))
    return pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA)


def await_history(
    settings: Settings,
    count: int,
    report: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until ``count`` labelled transactions are stored or rejected; ``report`` gets how many there are.

    Asks the store at least once, so that a store that is away is reported first. A store without request units is
    asked again. Raises :class:`StoreUnavailable`, and :class:`ModelError` after ten minutes
    without a new one.
    """
    database = documents.database(settings)
    transactions, rejected = database[documents.TRANSACTIONS], database[documents.REJECTED]
    limits = WriteLimits.of(settings)
    labelled = {"origin": HISTORY}
    count_labelled = partial(transactions.count_documents, labelled)
    last: tuple[int, int] | None = None
    changed_at = clock()
    try:
        patiently(lambda: transactions.find_one(labelled, {"_id": 1}), limits)
        # To count by origin, the embedded store scans all documents: it is only asked once there may be enough of them.
        while count:
            stored = patiently(transactions.estimated_document_count, limits)
            if stored >= count and (stored := patiently(count_labelled, limits)) >= count:
                return
            refused = patiently(lambda: rejected.count_documents({"source.topic": LABELS}), limits)
            if stored + refused >= count and (stored := patiently(count_labelled, limits)) + refused >= count:
                return
            report(
                f"{stored:,} of {count:,} labelled transactions are stored" + f", {refused:,} rejected" * bool(refused)
            )
            if (stored, refused) != last:
                last, changed_at = (stored, refused), clock()
            elif clock() - changed_at > _STALLED_SECONDS:
                raise ModelError(
                    f"{stored:,} of {count:,} labelled transactions are stored ({refused:,} were rejected), and no "
                    f"more came for {_STALLED_SECONDS:.0f} s. Publish more (`fraudstream generate history`), look at "
                    "`fraudstream logs store`, or await fewer: --await."
                )
            sleep(_POLL_SECONDS)
    except PyMongoError as error:
        raise documents.unavailable(error, settings.mongo_uri.get_secret_value()) from error


def checked(rows: pd.DataFrame, left_out: LeftOut = NOTHING_LEFT_OUT) -> pd.DataFrame:
    """The usable rows in the order of their times; those of one moment in the order of their ids.

    Raises :class:`ModelError` if nothing can be learnt from them.
    """
    others = f" {left_out.count:,} more were left out: {left_out}." if left_out.count else ""
    if rows.empty and left_out.count:
        raise ModelError(
            f"None of the {left_out.count:,} labelled transactions can be used: {left_out}. "
            "Publish history that keeps the contract with `fraudstream generate history`."
        )
    if rows.empty:
        raise ModelError(
            "The document store has no labelled history. Publish some with `fraudstream generate history`, "
            "and wait until `fraudstream status` shows no lag of the store."
        )
    if rows[LABEL].nunique() < 2:
        raise ModelError(
            f"All {len(rows):,} labelled transactions have {LABEL} = {rows[LABEL].iloc[0]}: there is nothing to "
            f"tell apart.{others} Publish history of both classes with `fraudstream generate history`."
        )
    return rows.sort_values([EVENT_TIME, ID], ignore_index=True)


def fingerprint(history: pd.DataFrame) -> str:
    """SHA-256 of the rows in their order, hexadecimal. Equal data have equal fingerprints."""
    rows = pd.util.hash_pandas_object(history[list(COLUMNS)], index=False)
    return hashlib.sha256(rows.to_numpy().tobytes()).hexdigest()
