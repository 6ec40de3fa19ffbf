"""The document store keeps what it acknowledged, whatever happens to its process."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bson import Decimal128, Int64, ObjectId, Regex, Timestamp, encode
from pymongo import ReplaceOne
from pymongo.errors import DuplicateKeyError, WriteError

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.documents import client as documents
from fraudstream.runtime.parts import artifacts, jvm_libraries
from fraudstream.runtime.parts.java import find_java
from fraudstream.runtime.parts.jvm_libraries import Library
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


def test_ids_and_values_of_every_kind_survive_a_kill(store: Running, settings: Settings) -> None:
    kinds = documents.database(settings).kinds
    stored: list[dict[str, object]] = [
        {"_id": 1, "text": "ä€😀", "none": None, "yes": True, "list": [1, [2.5, "x"], {"deep": []}]},
        {"_id": 2**40, "long": -(2**63), "double": 1e-300, "bytes": b"\x00\xff", "empty": ""},
        {"_id": -0.5, "at": datetime(2026, 2, 28, 23, 59, 59, 999_000, UTC)},
        {"_id": "1", "same text, another kind": True},
        {"_id": ObjectId("0123456789abcdef01234567")},
        {"_id": {"a": 1, "b": "compound"}, "of": "an id"},
        {"_id": True},
    ]
    kinds.insert_many(stored)
    store.kill()
    store.start()
    kinds = documents.database(settings).kinds
    assert [kinds.find_one({"_id": document["_id"]}) for document in stored] == stored
    assert kinds.count_documents({}) == len(stored)
    for document in stored:
        with pytest.raises(DuplicateKeyError):
            kinds.insert_one({"_id": document["_id"]})
    assert kinds.find_one({"_id": 1.0}) == stored[0]


def test_a_whole_document_replaces_what_has_its_id_and_is_inserted_where_nothing_has(
    store: Running, settings: Settings
) -> None:
    whole = documents.database(settings).whole
    inserted = whole.replace_one(
        {"_id": 5}, {"text": "first", "_id": 5, "deep": {"list": [1, {"a.b": 2}]}}, upsert=True
    )
    assert (inserted.matched_count, inserted.upserted_id) == (0, 5)
    assert list(whole.find_one({"_id": 5}) or {}) == ["_id", "text", "deep"]
    for same in (5, Int64(5), 5.0):
        replaced = whole.replace_one({"_id": same}, {"_id": same, "text": type(same).__name__}, upsert=True)
        assert (replaced.matched_count, replaced.upserted_id) == (1, None)
    assert whole.find_one() == {"_id": 5, "text": "float"}
    with pytest.raises(WriteError):
        whole.replace_one({"_id": 6}, {"_id": 7, "text": "another id"}, upsert=True)
    whole.create_index("text", unique=True)
    with pytest.raises(DuplicateKeyError):
        whole.replace_one({"_id": 8}, {"_id": 8, "text": "float"}, upsert=True)
    assert whole.count_documents({}) == 1


def test_a_collection_tells_the_size_of_its_documents_as_bson(store: Running, settings: Settings) -> None:
    db = documents.database(settings)
    kinds: dict[str, object] = {
        "texts": ["", "ä€😀", {"ü": None}],
        "numbers": [1, Int64(2), 2.5, Decimal128("0.1"), True],
        "others": [ObjectId(), b"\x00\xff", datetime(2026, 2, 28, tzinfo=UTC), Regex("a.*", "i"), Timestamp(1, 2)],
    }

    def size() -> int:
        return int(db.command("collStats", "sized")["size"])

    db.sized.insert_one({"_id": 1} | kinds)
    db.sized.replace_one({"_id": 2}, {"_id": 2} | kinds, upsert=True)
    whole = len(encode({"_id": 1} | kinds))
    assert size() == 2 * whole
    db.sized.update_one({"_id": 1}, {"$set": {"more": "12345"}})
    assert size() == 2 * whole + len(encode({"more": "12345"})) - len(encode({}))
    db.sized.delete_one({"_id": 1})
    assert size() == whole
    db.sized.delete_many({})
    assert size() == 0


def test_a_dropped_collection_and_index_can_be_made_again(store: Running, settings: Settings) -> None:
    db = documents.database(settings)
    for value in ("x", 7):
        db.again.create_index("code", unique=True)
        db.again.insert_one({"_id": value, "code": value})
        with pytest.raises(DuplicateKeyError):
            db.again.insert_one({"_id": "other", "code": value})
        db.again.drop()
        assert db.again.count_documents({}) == 0


def test_deletes_and_updates_survive_a_kill(store: Running, settings: Settings) -> None:
    db = documents.database(settings)
    db.changed.insert_many([{"_id": n} for n in range(100)])
    db.changed.delete_many({"_id": {"$gte": 50}})
    db.changed.update_many({}, {"$set": {"seen": True}})
    store.kill()
    store.start()
    db = documents.database(settings)
    assert db.changed.count_documents({"seen": True}) == 50


_WEIGHED = """
package fraudstream.documentstore;

import de.bwaldvogel.mongo.bson.Document;
import java.util.List;

public final class Weighed {
    public static void main(String[] arguments) {
        Document small = new Document();
        for (int number = 0; number < 40; number++) {
            small.append("f" + number, "short");
        }
        String text = "x".repeat(850_000);
        Values values = new Values();
        System.out.println(values.isMemoryEstimationAllowed());
        for (Document document : List.of(
            small,
            new Document("a", text),
            new Document("a", new Document("b", List.of(text))),
            new Document("a", new byte[850_000]))) {
            System.out.println(values.getMemory(document));
        }
    }
}
"""


def test_a_document_counts_for_what_it_takes_in_memory_so_that_the_cache_has_room_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jars = [*artifacts.ensure("documentstore"), jvm_libraries.ensure(jvm_libraries.DOCUMENTSTORE)]
    room = tmp_path / "fraudstream" / "documentstore"
    room.mkdir(parents=True)
    (room / "Weighed.java").write_text(_WEIGHED, "utf-8")
    monkeypatch.setenv(artifacts.CACHE_VARIABLE, str(artifacts.cache_dir()))
    monkeypatch.setattr(jvm_libraries, "sources_folder", lambda: tmp_path)
    weighed = jvm_libraries.ensure(Library("weighed", ("documentstore",), lambda: jars, lambda: "a test"))
    command = [str(find_java().executable), "-cp", os.pathsep.join(map(str, [*jars, weighed]))]
    words = [*command, "fraudstream.documentstore.Weighed"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=120)
    weighed.unlink()
    estimated, short, *large = done.stdout.split()
    assert estimated == "false"
    assert 2_000 < int(short) < 4_000
    assert all(850_000 <= int(size) < 851_000 for size in large)


def test_data_survive_a_stop(store: Running, settings: Settings) -> None:
    documents.database(settings).stopped.insert_one({"_id": "kept"})
    assert store.stop() == 0
    store.start()
    assert documents.database(settings).stopped.find_one() == {"_id": "kept"}


@pytest.mark.parity("collections and indexes from one table", "local")
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
    assert {group["_id"]: group["n"] for group in merged.find()} == {0: 10, 1: 10, 2: 10}


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
    *java, _, file = store.part.command
    second = subprocess.run(
        [*java, "0", file], cwd=store.part.cwd, capture_output=True, text=True, timeout=60, check=False
    )
    assert second.returncode == 1
    assert "cannot be opened" in second.stderr
