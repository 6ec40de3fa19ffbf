"""What the Bicep templates read: hubs and collections from the code's own tables."""

from __future__ import annotations

from typing import Any

from fraudstream.core.configuration.settings import profile_values
from fraudstream.core.contract.topics import DAY_MS, TOPICS
from fraudstream.core.documents.client import COLLECTIONS, Collection


def definitions() -> dict[str, Any]:
    """Hubs with partitions and retention (hours); collections with shard key and indexes, TTL (seconds) among them."""
    partitions = int(profile_values("azure")["topic_partitions"])
    return {
        "hubs": [
            {"name": topic.name, "partitions": partitions, "retentionHours": topic.retention_ms * 24 // DAY_MS}
            for topic in TOPICS
        ],
        "collections": [_collection(one) for one in COLLECTIONS],
    }


def _collection(collection: Collection) -> dict[str, Any]:
    """As the resource's own properties: Bicep's lambdas would keep other tools from reading the template."""
    # The service makes an index of its keys in this order; it has no directions. The key of _id has to be named.
    keys = [["_id"], *([field for field, _ in index] for index in collection.indexes)]
    indexes: list[dict[str, Any]] = [{"key": {"keys": fields}} for fields in keys]
    if collection.ttl_days is not None:
        seconds = collection.ttl_days * 24 * 60 * 60
        indexes.append({"key": {"keys": ["_ts"]}, "options": {"expireAfterSeconds": seconds}})
    return {"name": collection.name, "shardKey": {collection.shard_key: "Hash"}, "indexes": indexes}
