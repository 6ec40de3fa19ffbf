"""The document store keeps what it acknowledged, whatever happens to its process."""

from __future__ import annotations

import pytest
from pymongo import ReplaceOne

from fraudstream.core import documents
from fraudstream.core.settings import Settings
from tests.stack.conftest import Running

pytestmark = pytest.mark.stack


def test_acknowledged_upserts_survive_a_kill(store: Running, settings: Settings) -> None:
    db = documents.database(settings)
    for start in range(0, 20_000, 1_000):
        batch = [ReplaceOne({"_id": n}, {"_id": n, "half": n / 2}, upsert=True) for n in range(start, start + 1_000)]
        db.kept.bulk_write(batch, ordered=False)
    store.kill()
    store.start()
    db = documents.database(settings)
    assert db.kept.count_documents({}) == 20_000
    assert db.kept.find_one({"_id": 19_999}) == {"_id": 19_999, "half": 9_999.5}


def test_deletes_and_updates_survive_a_kill(store: Running, settings: Settings) -> None:
    db = documents.database(settings)
    db.changed.insert_many([{"_id": n} for n in range(100)])
    db.changed.delete_many({"_id": {"$gte": 50}})
    db.changed.update_many({}, {"$set": {"seen": True}})
    store.kill()
    store.start()
    db = documents.database(settings)
    assert db.changed.count_documents({"seen": True}) == 50


def test_data_survive_a_stop(store: Running, settings: Settings) -> None:
    documents.database(settings).stopped.insert_one({"_id": "kept"})
    assert store.stop() == 0
    store.start()
    assert documents.database(settings).stopped.find_one() == {"_id": "kept"}


def test_indexes_can_be_created_again(store: Running, settings: Settings) -> None:
    db = documents.database(settings)
    documents.create_indexes(db)
    documents.create_indexes(db)
