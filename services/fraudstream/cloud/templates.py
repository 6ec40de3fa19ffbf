"""Data for the Bicep templates: hubs and collections from the code's own tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fraudstream.core.configuration.settings import profile_values
from fraudstream.core.contract.topics import DAY_MS, TOPICS, Topic
from fraudstream.core.documents.client import COLLECTIONS, Collection


def definitions() -> dict[str, Any]:
    """Hubs with partitions and retention (hours); collections with shard key and indexes, TTL (seconds) among them."""
    return {
        "hubs": hubs_of(TOPICS),
        "collections": [_collection(collection) for collection in COLLECTIONS],
    }


def hubs_of(topics: Iterable[Topic]) -> list[dict[str, Any]]:
    """Topics as hubs with partitions and retention (hours)."""
    partitions = int(profile_values("azure")["topic_partitions"])
    return [
        {"name": topic.name, "partitions": partitions, "retentionHours": topic.retention_ms * 24 // DAY_MS}
        for topic in topics
    ]


def _collection(collection: Collection) -> dict[str, Any]:
    """A collection in the form of Bicep's resource: other tools cannot read a template with lambdas."""
    # The service's indexes have an order of keys and no directions. The index of _id has to be named.
    keys = [["_id"], *([field for field, _ in index] for index in collection.indexes)]
    indexes: list[dict[str, Any]] = [{"key": {"keys": fields}} for fields in keys]
    if collection.ttl_days is not None:
        seconds = collection.ttl_days * 24 * 60 * 60
        indexes.append({"key": {"keys": ["_ts"]}, "options": {"expireAfterSeconds": seconds}})
    return {"name": collection.name, "shardKey": {collection.shard_key: "Hash"}, "indexes": indexes}
