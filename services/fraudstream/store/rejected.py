"""Find rejected events."""

from __future__ import annotations

from pymongo import DESCENDING
from pymongo.errors import PyMongoError

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.documents import client as documents
from fraudstream.core.documents.stored import RAW, read_all


def find(settings: Settings, field: str = "", limit: int = 20) -> list[documents.Document]:
    """The newest rejected events, those of one field if it is given; values that cannot be decoded are left out.

    Raises :class:`StoreUnavailable`.
    """
    chosen = {"field": field} if field else {}
    try:
        rejected = documents.database(settings, document_class=RAW)[documents.REJECTED]
        return list(read_all(rejected.find(chosen).sort("rejected_at", DESCENDING).limit(limit)))
    except PyMongoError as error:
        raise documents.unavailable(error, settings.mongo_uri.get_secret_value()) from error
