"""What every document store has to do for us: the same cases against the embedded one and against the container."""

from __future__ import annotations

import uuid

import pytest
from bson.raw_bson import RawBSONDocument
from pymongo import DESCENDING, InsertOne, ReplaceOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError

from fraudstream.core.documents import client as documents
from tests import nasty_documents as nasty
from tests.contract.conftest import Deployment


class DocumentStoreContract:
    """The cases; a subclass says where the store runs."""

    @pytest.fixture
    def deployment(self) -> Deployment:
        raise NotImplementedError

    @pytest.fixture
    def collection(self, deployment: Deployment) -> Collection[documents.Document]:
        return documents.database(deployment.settings)[f"case-{uuid.uuid4().hex}"]

    def test_acknowledged_upserts_survive_a_kill(
        self, deployment: Deployment, collection: Collection[documents.Document]
    ) -> None:
        for start in range(0, 20_000, 1_000):
            rows = range(start, start + 1_000)
            collection.bulk_write([ReplaceOne({"_id": n}, {"_id": n, "half": n / 2}, upsert=True) for n in rows])
        deployment.kill("store")
        kept = documents.database(deployment.settings)[collection.name]
        assert kept.count_documents({}) == 20_000
        assert kept.find_one({"_id": 19_999}) == {"_id": 19_999, "half": 9_999.5}

    def test_upserts_may_be_repeated(self, collection: Collection[documents.Document]) -> None:
        for _ in range(2):
            done = collection.bulk_write([ReplaceOne({"_id": n}, {"_id": n}, upsert=True) for n in range(100)])
        assert done.upserted_count == 0
        assert collection.count_documents({}) == 100

    def test_large_whole_numbers_are_kept(self, collection: Collection[documents.Document]) -> None:
        collection.insert_one({"_id": 4_001_764_000_000_000, "cents": 2**62})
        assert collection.find_one() == {"_id": 4_001_764_000_000_000, "cents": 2**62}

    def test_unique_keys_hold(self, collection: Collection[documents.Document]) -> None:
        collection.insert_one({"_id": "once"})
        with pytest.raises(DuplicateKeyError):
            collection.insert_one({"_id": "once"})

    @pytest.mark.parametrize("depth", [90, 170, 300, 900, 1_100, 20_000])
    @pytest.mark.parametrize("in_lists", [False, True])
    def test_a_deep_document_is_refused_or_can_be_read(
        self, deployment: Deployment, collection: Collection[documents.Document], depth: int, in_lists: bool
    ) -> None:
        raw = documents.client(deployment.settings, document_class=RawBSONDocument, socketTimeoutMS=5_000)
        kept = raw[deployment.settings.mongo_database][collection.name]
        document = nasty.with_elements({"_id": 1}, nasty.deep_bytes(depth, in_lists=in_lists))
        try:
            kept.insert_one(document)
        except PyMongoError:
            assert depth > 170
            assert kept.count_documents({}) == 0
        else:
            assert [bytes(read.raw) for read in kept.find()] == [bytes(document.raw)]

    @pytest.mark.parametrize(("ordered", "inserted", "failed"), [(True, 1, [1]), (False, 2, [1, 2])])
    def test_only_what_was_inserted_is_counted(
        self, collection: Collection[documents.Document], ordered: bool, inserted: int, failed: list[int]
    ) -> None:
        with pytest.raises(BulkWriteError) as refused:
            collection.bulk_write([InsertOne({"_id": n}) for n in (1, 1, 1, 2)], ordered=ordered)
        answer = refused.value.details
        assert answer["nInserted"] == inserted == collection.count_documents({})
        assert [error["index"] for error in answer["writeErrors"]] == failed

    def test_an_upsert_names_its_place_in_the_request(self, collection: Collection[documents.Document]) -> None:
        collection.insert_one({"_id": 1})
        done = collection.bulk_write([ReplaceOne({"_id": n}, {"_id": n, "new": True}, upsert=True) for n in (1, 2, 3)])
        assert (done.matched_count, done.modified_count, done.upserted_ids) == (1, 1, {1: 2, 2: 3})

    def test_counts_with_filter_skip_and_limit(self, collection: Collection[documents.Document]) -> None:
        collection.insert_many([{"_id": n, "odd": n % 2} for n in range(100)])
        assert collection.count_documents({"odd": 1}) == 50
        assert collection.count_documents({"odd": 1}, limit=20) == 20
        assert collection.count_documents({"odd": 1}, skip=40) == 10

    def test_sorted_reads(self, collection: Collection[documents.Document]) -> None:
        collection.create_index([("at", DESCENDING)])
        collection.insert_many([{"_id": n, "at": n * 7 % 100} for n in range(100)])
        assert [document["at"] for document in collection.find().sort("at", DESCENDING).limit(3)] == [99, 98, 97]

    def test_groups_and_conditional_sums(self, collection: Collection[documents.Document]) -> None:
        collection.insert_many([{"_id": n, "group": n % 3, "fraud": n % 5 == 0} for n in range(30)])
        totals = collection.aggregate(
            [{"$group": {"_id": "$group", "n": {"$sum": 1}, "frauds": {"$sum": {"$cond": ["$fraud", 1, 0]}}}}]
        )
        assert {group["_id"]: (group["n"], group["frauds"]) for group in totals} == dict.fromkeys(range(3), (10, 2))

    def test_indexes_can_be_created_again(self, deployment: Deployment) -> None:
        db = documents.database(deployment.settings)
        documents.create_indexes(db)
        documents.create_indexes(db)


@pytest.mark.stack
@pytest.mark.parity("upserts, sorts, groups and unique keys of the document store", "local")
class TestLocalDocumentStore(DocumentStoreContract):
    @pytest.fixture
    def deployment(self, local_parts: Deployment) -> Deployment:
        return local_parts


@pytest.mark.containers
@pytest.mark.parity("upserts, sorts, groups and unique keys of the document store", "compose")
class TestContainerDocumentStore(DocumentStoreContract):
    @pytest.fixture
    def deployment(self, containers: Deployment) -> Deployment:
        return containers
