"""Every rule of Cosmos DB for MongoDB, broken on purpose: the account refuses it with the service's own code."""

from __future__ import annotations

import socket
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote_plus

import pytest
from pymongo import IndexModel, InsertOne, MongoClient
from pymongo.errors import AutoReconnect, BulkWriteError, OperationFailure, ServerSelectionTimeoutError, WriteError

from fraudstream.cloud.rules.table import rules
from fraudstream.core.documents import client as documents
from fraudstream.core.documents.throttling import Encoded, WriteLimits, patiently, upsert_all
from fraudstream.runtime.supervise.process import await_condition
from tests.rehearsal.conftest import IDLE_SECONDS, Cloud

pytestmark = [pytest.mark.rehearsal, pytest.mark.timeout(600)]

CLOSES = -1
NOBODY_LISTENS = -2
_WAIT_MS = 4_000


class Client:
    """The account as the services reach it, and as they would with one mistake in the address."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.uri = cloud.front.mongo_uri.get_secret_value()
        self.db = documents.database(cloud.front)

    def with_uri(self, old: str, new: str) -> int:
        """The code that an insert is refused with when a part of the address is another one."""
        assert old in self.uri
        client: MongoClient[dict[str, Any]] = MongoClient(
            self.uri.replace(old, new), serverSelectionTimeoutMS=_WAIT_MS, connectTimeoutMS=_WAIT_MS
        )
        try:
            client["fraudstream"]["alerts"].insert_one({"_id": uuid.uuid4().hex})
        except (ServerSelectionTimeoutError, AutoReconnect) as error:
            return NOBODY_LISTENS if "refused" in str(error) else CLOSES
        except OperationFailure as error:
            return error.code or 0
        finally:
            client.close()
        return 0


def code_of(work: Callable[[], Any]) -> int:
    try:
        work()
    except BulkWriteError as error:
        return int(error.details["writeErrors"][0]["code"])
    except (OperationFailure, WriteError) as error:
        return error.code or 0
    return 0


def nested(depth: int) -> Any:
    value: Any = 1
    for level in range(depth):
        value = {"a": value} if level % 2 else [value]
    return value


def on(work: Callable[[Any], Any]) -> Callable[[Client], int]:
    return lambda client: code_of(lambda: work(client.db))


def aggregate(*stages: dict[str, Any]) -> Callable[[Client], int]:
    return on(lambda db: list(db["transactions"].aggregate(list(stages))))


def index(model: IndexModel, collection: str = "plain") -> Callable[[Client], int]:
    return on(lambda db: db[collection].create_indexes([model]))


def without_tls(client: Client) -> int:
    trusted = client.uri.partition("&tlsCAFile=")[2]
    plain = Client(client.cloud)
    plain.uri = client.uri.replace("ssl=true&", "")
    return plain.with_uri(f"&tlsCAFile={trusted}", "")


def idle(client: Client) -> int:
    cuts = client.cloud.endpoints.cosmos.figures.idle_cuts
    address = ("localhost", client.cloud.ports.cosmos)
    with (
        socket.create_connection(address, 10) as plain,
        client.cloud.trust.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        connection.settimeout(IDLE_SECONDS + 20)
        assert connection.recv(1) == b""
    assert client.cloud.endpoints.cosmos.figures.idle_cuts > cuts
    return CLOSES


def large_request(client: Client) -> int:
    batch = [{"_id": f"large-{number}", "raw": b"x" * 1024 * 1024} for number in range(3)]
    return code_of(lambda: client.db["plain"].bulk_write([InsertOne(document) for document in batch], ordered=False))


def unique_on_documents(client: Client) -> int:
    client.db["full"].insert_one({"_id": 1})
    return code_of(lambda: client.db["full"].create_indexes([IndexModel([("a", 1)], unique=True)]))


def without_shard_key(client: Client) -> int:
    client.db.command({"customAction": "CreateCollection", "collection": "by-country", "shardKey": "country"})
    return code_of(lambda: client.db["by-country"].insert_one({"_id": 1}))


def changed_shard_key(client: Client) -> int:
    client.db.command({"customAction": "CreateCollection", "collection": "by-country", "shardKey": "country"})
    client.db["by-country"].insert_one({"_id": 2, "country": "be"})
    return code_of(lambda: client.db["by-country"].update_one({"_id": 2}, {"$set": {"country": "fr"}}))


def transaction(client: Client) -> int:
    connection = client.db.client
    with connection.start_session() as session:
        session.start_transaction()
        return code_of(lambda: client.db["alerts"].insert_one({"_id": "in-transaction"}, session=session))


def throttled(client: Client) -> int:
    budget = client.cloud.endpoints.cosmos.budget
    budget.charge(budget.units_per_second * 3)
    try:
        return code_of(lambda: client.db["plain"].insert_one({"_id": "throttled"}))
    finally:
        budget.charge(-budget.units_per_second * 3)


VIOLATIONS: list[tuple[str, Callable[[Client], int], int]] = [
    ("CO001", lambda client: client.with_uri("retrywrites=false", "retrywrites=true"), 2),
    ("CO002", without_tls, CLOSES),
    ("CO003", lambda client: client.with_uri(f"localhost:{client.cloud.ports.cosmos}", "localhost:1"), NOBODY_LISTENS),
    ("CO004", lambda client: client.with_uri("%3D%3D@", "@"), 18),
    ("CO005", lambda client: client.with_uri("//rehearsal:", "//admin:"), 18),
    ("CO006", idle, CLOSES),
    ("CO007", lambda client: client.with_uri("&appName=@rehearsal@", ""), CLOSES),
    ("CO008", aggregate({"$bucket": {"groupBy": "$amount", "boundaries": [0, 1]}}), 40324),
    ("CO009", aggregate({"$project": {"day": {"$dateTrunc": {"date": "$event_time", "unit": "day"}}}}), 168),
    ("CO010", aggregate({"$group": {"_id": None, "p": {"$percentile": {"input": "$amount", "p": [0.9]}}}}), 15952),
    ("CO011", on(lambda db: list(db["transactions"].find({"$where": "this.amount > 1"}))), 2),
    ("CO012", aggregate({"$lookup": {"from": "alerts", "let": {"a": "$_id"}, "pipeline": [], "as": "x"}}), 9),
    ("CO013", on(lambda db: db.command({"mapReduce": "transactions"})), 115),
    ("CO014", on(lambda db: list(db["transactions"].find().sort("amount"))), 2),
    ("CO015", on(lambda db: list(db["transactions"].find().sort([("amount", 1), ("month", 1)]))), 2),
    ("CO016", on(lambda db: db["plain"].insert_one({"_id": "big", "raw": b"x" * 2_097_200})), 16),
    ("CO017", large_request, 16),
    ("CO018", on(lambda db: db["alerts"].find_one_and_delete({}, sort=[("enqueued_at", 1), ("amount", 1)])), 2),
    ("CO019", index(IndexModel([("text", "text")])), 67),
    ("CO020", unique_on_documents, 67),
    ("CO021", index(IndexModel([(f"f{number}", 1) for number in range(9)])), 67),
    ("CO022", without_shard_key, 61),
    ("CO028", on(lambda db: db["plain"].insert_one({"_id": "deep", "x": nested(128)})), 15),
    ("CO029", on(lambda db: db["plain"].insert_one({"_id": "named", "x": [{"$ref": 1}]})), 52),
    ("CO030", on(lambda db: db["plain"].insert_one({"_id": "v" * 2_049})), 2),
    ("CO023", changed_shard_key, 66),
    ("CO024", transaction, 115),
    ("CO025", index(IndexModel([("stored_at", 1)], expireAfterSeconds=60)), 67),
    ("CO026", throttled, 16500),
]


@pytest.fixture(scope="module")
def client(cloud: Cloud) -> Iterator[Client]:
    connection = Client(cloud)
    yield connection
    connection.db.client.close()


def test_every_rule_with_an_answer_is_tried() -> None:
    enforced = {rule.id for rule in rules().values() if rule.service == "cosmos db" and rule.answer}
    assert {rule for rule, _, _ in VIOLATIONS} == enforced


@pytest.mark.parametrize(("rule", "violate", "code"), VIOLATIONS, ids=[rule for rule, _, _ in VIOLATIONS])
@pytest.mark.parity("rules of Cosmos DB for MongoDB", "rehearsal")
def test_a_violation_is_refused(client: Client, rule: str, violate: Callable[[Client], int], code: int) -> None:
    assert violate(client) == code
    announced = rules()[rule].answer
    assert announced.startswith({CLOSES: "closes", NOBODY_LISTENS: "nothing listens"}.get(code, str(code)))


@pytest.mark.parity("upserts, sorts, groups and unique keys of the document store", "rehearsal")
@pytest.mark.parity("collections and indexes from one table", "rehearsal")
def test_what_keeps_the_rules_passes(client: Client) -> None:
    documents.create_indexes(client.db)
    alerts = client.db["alerts"]
    alerts.delete_many({})
    alerts.insert_one({"_id": 1, "enqueued_at": 1, "amount": 2})
    assert [alert["_id"] for alert in alerts.find().sort("enqueued_at", -1)] == [1]
    assert list(alerts.aggregate([{"$match": {}}, {"$group": {"_id": None, "sum": {"$sum": "$amount"}}}])) == [
        {"_id": None, "sum": 2}
    ]


@pytest.mark.parity("throttled writes are made again", "rehearsal")
def test_a_bulk_is_applied_in_part_and_the_writer_finishes_it(client: Client) -> None:
    """Of an unordered bulk the first operations are applied, and every other one is refused by its number."""
    budget, figures = client.cloud.endpoints.cosmos.budget, client.cloud.endpoints.cosmos.figures
    plain = client.db["plain"]
    plain.delete_many({})
    before, bought = figures.writes_throttled, budget.units_per_second
    batch = [{"_id": number, "text": "x" * 200} for number in range(600)]
    budget.units_per_second = 1_000.0
    try:
        # What the current second still has of the larger budget does not go over into the next one.
        assert await_condition(lambda: budget.wait_ms() is None and budget.left <= 1_000.0, 10)
        with pytest.raises(BulkWriteError) as caught:
            plain.bulk_write([InsertOne(document) for document in batch[:400]], ordered=False)
        problems = caught.value.details["writeErrors"]
        refused = {problem["index"] for problem in problems if problem["code"] == 16500}
        assert 0 < len(refused) < 400
        assert all("RetryAfterMs=" in problem["errmsg"] for problem in problems if problem["code"] == 16500)
        stored = patiently(lambda: plain.count_documents({}), WriteLimits())
        assert stored == 400 - len(refused)
        began = time.monotonic()
        upsert_all(plain, [Encoded.of(document) for document in batch], WriteLimits(request_bytes=1_900_000))
        assert time.monotonic() - began > 0.5
    finally:
        budget.units_per_second = bought
    assert sorted(document["_id"] for document in plain.find({}, {"_id": 1})) == list(range(600))
    assert figures.writes_throttled > before


def test_a_second_key_signs_in_and_a_regenerated_one_does_not(cloud: Cloud, client: Client) -> None:
    first, second = (quote_plus(key) for key in cloud.keys.account)
    assert client.with_uri(first, second) == 0
    cloud.endpoints.revoke_first_keys()
    assert client.with_uri(first, first) == 18
    assert client.with_uri(first, second) == 0
