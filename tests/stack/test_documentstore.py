"""The document store keeps what it acknowledged, whatever happens to its process."""

from __future__ import annotations

import subprocess

import pytest
from pymongo import ReplaceOne
from pymongo.errors import DuplicateKeyError

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


def test_counts_with_a_filter(store: Running, settings: Settings) -> None:
    numbers = documents.database(settings).numbers
    numbers.insert_many([{"_id": n, "odd": n % 2} for n in range(100)])
    assert numbers.count_documents({"odd": 1}) == 50
    assert numbers.count_documents({"odd": 2}) == 0
    assert numbers.count_documents({"odd": 1}, limit=20) == 20
    assert numbers.count_documents({"odd": 1}, skip=40) == 10
    assert [*numbers.aggregate([{"$match": {"odd": 1}}, {"$group": {"_id": "$odd", "n": {"$sum": 2}}}])] == [
        {"_id": 1, "n": 100}
    ]


def test_merging_an_aggregation_survives_a_kill(store: Running, settings: Settings) -> None:
    db = documents.database(settings)
    db.origin.insert_many([{"_id": n, "group": n % 3} for n in range(30)])
    db.origin.aggregate([{"$group": {"_id": "$group", "n": {"$sum": 1}}}, {"$merge": {"into": "merged"}}])
    store.kill()
    store.start()
    merged = documents.database(settings).merged
    assert {found["_id"]: found["n"] for found in merged.find()} == {0: 10, 1: 10, 2: 10}


def test_unique_indexes_hold_after_a_kill(store: Running, settings: Settings) -> None:
    unique = documents.database(settings).unique
    unique.create_index("code", unique=True)
    unique.insert_one({"_id": 1, "code": "a"})
    store.kill()
    store.start()
    unique = documents.database(settings).unique
    with pytest.raises(DuplicateKeyError):
        unique.insert_one({"_id": 2, "code": "a"})
    assert unique.count_documents({}) == 1


def test_a_second_server_is_refused_the_file(store: Running, settings: Settings) -> None:
    second = subprocess.run(
        [*store.part.command[:-3], "0", *store.part.command[-2:]], capture_output=True, text=True, timeout=60
    )
    assert second.returncode == 1
    assert "cannot be opened" in second.stderr
