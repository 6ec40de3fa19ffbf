"""Labelled history out of the document store, read by Spark."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import bson
import orjson
import pandas as pd
import pyarrow as pa
from bson.codec_options import CodecOptions
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from pymongo.errors import PyMongoError

from fraudstream.core.configuration.settings import Settings, load_settings, revealed_values
from fraudstream.core.contract.topics import LABELS
from fraudstream.core.documents import client as documents
from fraudstream.core.documents.scans import scanned
from fraudstream.core.documents.stored import RAW, read
from fraudstream.core.documents.throttling import WriteLimits, patiently
from fraudstream.core.errors import ModelError, StoreUnavailable
from fraudstream.ml.features import ID, LABEL
from fraudstream.ml.usable import NOTHING_LEFT_OUT, RULES, LeftOut, Sorted, sort_rows

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

HISTORY = "history"

_BATCH = 5_000
_POLL_SECONDS = 0.5
# Nothing more will come: neither a labelled transaction nor its rejection.
_STALLED_SECONDS = 600.0
_COLUMNS = tuple(rule.name for rule in RULES)
_TYPES = {rule.name: rule.spark_type for rule in RULES}
_ARROW = {"BIGINT": pa.int64(), "DOUBLE": pa.float64(), "STRING": pa.string()}
_PLACEHOLDERS = {"BIGINT": 0, "DOUBLE": 0.0, "STRING": ""}
# Beside a usable row's columns: of another row its id and why it is left out, or why no more could be read.
_LEFT_ID, _LEFT_REASON, _FAILURE = "left_id", "left_reason", "failure"


@dataclass(frozen=True, slots=True)
class History:
    """The labelled history: usable rows (``id``, the features, ``isFraud``), and what was left out of it."""

    rows: pd.DataFrame
    left_out: LeftOut


def read_history(spark: SparkSession, settings: Settings) -> History:
    """The labelled history out of the store. Raises :class:`StoreUnavailable`.

    One task reads it: the embedded store scans the collection for every range that it is asked for.
    """
    config = orjson.dumps(revealed_values(settings)).decode()

    def read(_: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        known = load_settings(**orjson.loads(config))
        try:
            for made in stored_batches(known):
                yield _batch(sort_rows(made))
        except PyMongoError as error:
            # An exception of a worker reaches the driver as a traceback of three processes.
            yield _batch(Sorted(), str(documents.unavailable(error, known.mongo_uri.get_secret_value())))
        except StoreUnavailable as error:
            yield _batch(Sorted(), str(error))

    texts = (_LEFT_ID, _LEFT_REASON, _FAILURE)
    schema = ", ".join([*(f"{name} {_TYPES[name]}" for name in _COLUMNS), *(f"{name} STRING" for name in texts)])
    found = spark.range(0, 1, 1, 1).mapInArrow(read, schema).toPandas()
    failures = found[_FAILURE].dropna()
    if len(failures):
        raise StoreUnavailable(str(failures.iloc[0]))
    unusable = found[_LEFT_REASON].notna()
    left = found[unusable]
    rows = found.loc[~unusable, list(_COLUMNS)].reset_index(drop=True)
    return History(rows, LeftOut.of(zip(left[_LEFT_ID], left[_LEFT_REASON], strict=True)))


def stored_batches(settings: Settings) -> Iterator[list[dict[str, Any]]]:
    """The stored labelled transactions, some at a time. Raises as :func:`scanned` does."""
    database = documents.database(settings)
    # Of texts that are no UTF-8, which no field takes, two different ones stay different: an id may be one.
    lenient = database.codec_options.with_options(unicode_decode_error_handler="surrogateescape")
    wanted = {name: 1 for name in _COLUMNS if name != ID}

    def query() -> Iterator[dict[str, Any]]:
        # Each is bytes, whatever PyMongo's types say.
        found: Any = database[documents.TRANSACTIONS].find_raw_batches({"origin": HISTORY}, wanted, batch_size=_BATCH)
        return chain.from_iterable(_decoded(batch, lenient) for batch in found)

    yield from scanned(query, _BATCH, WriteLimits.of(settings))


def _decoded(batch: bytes, options: CodecOptions[Any]) -> list[dict[str, Any]]:
    """The documents of a batch; one that cannot be decoded, being nested too deeply for example, field by field."""
    try:
        return bson.decode_all(batch, options)
    except BSONError:
        return [_alone(made, options) for made in bson.decode_iter(batch, options.with_options(document_class=RAW))]


def _alone(made: RawBSONDocument, options: CodecOptions[Any]) -> dict[str, Any]:
    try:
        return bson.decode(made.raw, options)
    except BSONError:
        return read(made)


def _batch(rows: Sorted, failure: str = "") -> pa.RecordBatch:
    """Usable rows first, then those that are left out, then the failure, each with its own columns filled."""
    left = len(rows.left_out)
    usable = len(rows.columns.get(ID, ()))
    arrays = []
    for name in _COLUMNS:
        values = rows.columns.get(name, [])
        # Not None: pandas makes floats of an integer column with gaps, and so other ids.
        behind = [_PLACEHOLDERS[_TYPES[name]]] * (left + bool(failure))
        made = [float(value) for value in values] if _TYPES[name] == "DOUBLE" else values
        arrays.append(pa.array([*made, *behind], _ARROW[_TYPES[name]]))
    told = [failure] if failure else []
    for part in (0, 1):
        values = [one[part] for one in rows.left_out]
        arrays.append(pa.array([*[None] * usable, *values, *[None for _ in told]], pa.string()))
    arrays.append(pa.array([*[None] * (usable + left), *told], pa.string()))
    return pa.RecordBatch.from_arrays(arrays, names=[*_COLUMNS, _LEFT_ID, _LEFT_REASON, _FAILURE])


def await_history(
    settings: Settings,
    count: int,
    tell: Callable[[str], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Wait until ``count`` labelled transactions are stored or rejected; ``tell`` hears how many there are.

    Asks the store at least once, so that one that is away is told before Spark's task fails on it; one that has no
    request units is asked again. Raises :class:`StoreUnavailable`, and :class:`ModelError` when nothing more has come
    for ten minutes.
    """
    database = documents.database(settings)
    transactions, rejected = database[documents.TRANSACTIONS], database[documents.REJECTED]
    limits = WriteLimits.of(settings)
    labelled = {"origin": HISTORY}
    count_labelled = partial(transactions.count_documents, labelled)
    before: tuple[int, int] | None = None
    moved_at = clock()
    try:
        patiently(lambda: transactions.find_one(labelled, {"_id": 1}), limits)
        # Counting by origin scans the embedded store, and so waits until there can be enough.
        while count:
            stored = patiently(transactions.estimated_document_count, limits)
            if stored >= count and (stored := patiently(count_labelled, limits)) >= count:
                return
            refused = patiently(lambda: rejected.count_documents({"source.topic": LABELS}), limits)
            if stored + refused >= count and (stored := patiently(count_labelled, limits)) + refused >= count:
                return
            tell(
                f"{stored:,} of {count:,} labelled transactions are stored" + f", {refused:,} rejected" * bool(refused)
            )
            if (stored, refused) != before:
                before, moved_at = (stored, refused), clock()
            elif clock() - moved_at > _STALLED_SECONDS:
                raise ModelError(
                    f"{stored:,} of {count:,} labelled transactions are stored ({refused:,} were rejected), and no "
                    f"more came for {_STALLED_SECONDS:.0f} s. Publish more (`fraudstream generate history`), look at "
                    "`fraudstream logs store`, or await fewer: --await."
                )
            sleep(_POLL_SECONDS)
    except PyMongoError as error:
        raise documents.unavailable(error, settings.mongo_uri.get_secret_value()) from error


def checked(rows: pd.DataFrame, left_out: LeftOut = NOTHING_LEFT_OUT) -> pd.DataFrame:
    """The usable rows in the order of their ids. Raises :class:`ModelError` where nothing can be learnt from them."""
    without = f" {left_out.count:,} more were left out: {left_out}." if left_out.count else ""
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
            f"All {len(rows):,} labelled transactions have isFraud = {rows[LABEL].iloc[0]}: there is nothing to "
            f"tell apart.{without} Publish history of both classes with `fraudstream generate history`."
        )
    return rows.sort_values(ID, ignore_index=True)


def fingerprint(history: pd.DataFrame) -> str:
    """SHA-256 of the rows in the order of their ids, hexadecimal: equal data, equal fingerprint."""
    rows = pd.util.hash_pandas_object(history[list(_COLUMNS)], index=False)
    return hashlib.sha256(rows.to_numpy().tobytes()).hexdigest()
