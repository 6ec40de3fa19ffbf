"""The document store: client, collections and indexes.

Only operations that Cosmos DB for MongoDB has are used on these collections: no sort without an index, no
``$dateTrunc``, no transactions. Times are UTC and timezone-aware.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pymongo import ASCENDING, DESCENDING, IndexModel, MongoClient
from pymongo.database import Database
from pymongo.errors import PyMongoError

from fraudstream.core.configuration.settings import ENV_PREFIX, Settings, mask_uri
from fraudstream.core.errors import ConfigurationError, StoreUnavailable
from fraudstream.core.output.text import error_text

Document = dict[str, Any]

TRANSACTIONS = "transactions"  # every stored transaction: labelled history and scored traffic; `_id` = its id
ALERTS = "alerts"  # transactions scored as fraud; bounded
REJECTED = "rejected"  # `_id` = topic/partition/offset of the rejected record
ROLLUPS = "rollups"  # see core.contract.rollups
VERDICTS = "verdicts"  # what was found out of a transaction afterwards; `_id` = its id, stored or not
RECENT = "recent"  # the newest decisions for the live page; bounded ring

# The ring's size per partition of `scored`; `_id` = partition-slot, so that a redelivery rewrites its own slot.
RECENT_SLOTS = 250
ALERTS_KEPT = 5_000

# How every reader has values, whatever the address says. What others wrote, a time beyond Python's years or text that
# is no UTF-8, must not end what reads it.
_DECODING = {"tz_aware": True, "datetime_conversion": "DATETIME_AUTO", "unicode_decode_error_handler": "replace"}


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection with its secondary indexes, each a tuple of (field, direction).

    ``shard_key`` and ``ttl_days`` are Cosmos DB's: there documents spread by their id, and expire so many days after
    their last change (``_ts``, which no other store has).
    """

    name: str
    indexes: tuple[tuple[tuple[str, int], ...], ...] = ()
    shard_key: str = "_id"
    ttl_days: int | None = None


COLLECTIONS: tuple[Collection, ...] = (
    Collection(TRANSACTIONS, ((("enqueued_at", DESCENDING),), (("event_time", DESCENDING),))),
    Collection(ALERTS, ((("enqueued_at", DESCENDING),),)),
    Collection(REJECTED, ((("rejected_at", DESCENDING),),), ttl_days=90),
    Collection(ROLLUPS, ((("period", ASCENDING), ("origin", ASCENDING), ("start", ASCENDING)),)),
    Collection(VERDICTS),
    Collection(RECENT),
)


def client(settings: Settings, **options: Any) -> MongoClient[Document]:
    """A client for the configured store; it connects at the first operation. Raises :class:`ConfigurationError`."""
    uri = settings.mongo_uri.get_secret_value()
    if not uri:
        raise ConfigurationError(f"{ENV_PREFIX}MONGO_URI is empty. Set it to the store's connection string.")
    defaults: dict[str, Any] = {
        "appname": "fraudstream",
        "serverSelectionTimeoutMS": 5_000,
        # Above what the stores let an operation take (Cosmos DB 60 s, DocumentDB 120 s): a request that is never
        # answered is an error to try again after, not the end of the job.
        "socketTimeoutMS": 180_000,
        # Azure's load balancer drops connections that are idle for four minutes.
        "maxIdleTimeMS": 120_000,
        "retryWrites": False,
    }
    try:
        # Arguments would override the address's own options; Cosmos DB, for one, wants its `appName`.
        given = {name.lower() for name, _ in parse_qsl(urlsplit(uri).query)}
        kept = {name: value for name, value in defaults.items() if name.lower() not in given}
        return MongoClient(uri, **(kept | _DECODING | options))
    except (PyMongoError, ValueError, KeyError, OSError) as error:
        # A file that the address names may not be there. The driver's text may quote the address, password included.
        raise ConfigurationError(
            f"{ENV_PREFIX}MONGO_URI is no usable connection string ({type(error).__name__}). It has the form "
            "mongodb://user:password@host:port/?options, with user and password percent-encoded."
        ) from None


def database(settings: Settings, **options: Any) -> Database[Document]:
    """The configured database."""
    return client(settings, **options)[settings.mongo_database]


def create_indexes(db: Database[Document]) -> None:
    """Create the indexes that are missing. Raises :class:`StoreUnavailable`."""
    try:
        for collection in COLLECTIONS:
            models = [IndexModel(list(keys)) for keys in collection.indexes]
            if models:
                db[collection.name].create_indexes(models)
    except PyMongoError as error:
        raise unavailable(error) from error


def unavailable(error: Exception, uri: str = "") -> StoreUnavailable:
    """The error to raise when the store does not answer."""
    where = f" at {mask_uri(uri)}" if uri else ""
    return StoreUnavailable(
        f"The document store{where} does not answer ({error_text(error)}). "
        "Start it with `fraudstream up -d`, or set FRAUDSTREAM_MONGO_URI."
    )
