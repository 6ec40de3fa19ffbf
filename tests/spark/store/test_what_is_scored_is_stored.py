"""What passes the gate is stored, once and unchanged, and anything else is rejected with a reason: never both.

Generated events, with odd keys, names, values, depths and sizes, go through the gate and the scorer in one batch, and
through the document writer into the store that runs here.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from bson.decimal128 import Decimal128
from pymongo.database import Database
from pyspark.sql import functions as F

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import AMOUNT, FEATURES, FIELD_RULES, LABEL, RESERVED_FIELDS
from fraudstream.core.documents import client as documents
from fraudstream.runtime.parts import documentstore
from fraudstream.runtime.supervise.preflight import free_port
from fraudstream.store.records import Record
from fraudstream.store.rollups import counted
from fraudstream.store.writer import DocumentWriter
from fraudstream.stream.scorers import Decision, Scorer
from fraudstream.stream.transformations import decide_elsewhere, decide_here
from tests.odd_events import odd_events
from tests.stack.conftest import Running

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = pytest.mark.spark

# Each has nearly five generated names and values, and a generated key: more than 200,000 in all.
COUNT = 36_000
NOW = datetime(2026, 11, 24, 10, 11, 15, tzinfo=UTC)
KEYS = (None, b"", b"1", b"\xff\xfe", b"\x00", b"k" * 1024, b"\x01" * 1025, b"k" * 5000, "é".encode() * 600)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database[documents.Document]]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("store"), mongo_port=free_port())
    store = Running(documentstore.part(settings), settings.data_dir / "documents.log")
    yield documents.database(settings)
    store.stop()


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trees of a model that finds fraud in amounts from 100 on."""
    codes = {
        rule.name: {choice: code for code, choice in enumerate(rule.choices)} for rule in FIELD_RULES if rule.choices
    }
    trees = {
        "version": "1",
        "threshold": 0.5,
        "single_precision": True,
        "base": 0.0,
        "features": FEATURES,
        "codes": codes,
        "roots": [0],
        "feature": [0, -1, -1],
        "split": [100.0, 0, 0],
        "left": [1, -1, -1],
        "right": [2, -1, -1],
        "value": [0, -2.0, 2.0],
        "cover": [10.0, 5.0, 5.0],
    }
    path = tmp_path_factory.mktemp("champion") / "trees.json"
    path.write_text(json.dumps(trees))
    return path


def records_of(spark: SparkSession, values: Sequence[bytes], keys: Sequence[bytes | None]) -> DataFrame:
    rows = [
        ("transactions", 0, offset, key if key is None else bytearray(key), bytearray(raw))
        for offset, (raw, key) in enumerate(zip(values, keys, strict=True))
    ]
    schema = "topic STRING, partition INT, offset BIGINT, key BINARY, value BINARY"
    return spark.createDataFrame(rows, schema).withColumn("timestamp", F.lit("2026-11-24 10:11:13").cast("timestamp"))


def scorer() -> Callable[[], Scorer]:
    class AmountScorer:
        def score(self, columns: Mapping[str, Sequence[Any]], attempts: int | None = None) -> list[Decision]:
            return [Decision(int(amount >= 100), 0.5, 0.5, "1") for amount in columns[AMOUNT]]

    return AmountScorer


def same(stored: Any, sent: Any) -> bool:
    """Whether a document's value is what was sent, to the last digit; ``sent`` has its numbers as decimals."""
    if isinstance(sent, dict):
        return isinstance(stored, dict) and list(stored) == list(sent) and all(same(stored[n], sent[n]) for n in sent)
    if isinstance(sent, list):
        return isinstance(stored, list) and len(stored) == len(sent) and all(map(same, stored, sent))
    if isinstance(sent, Decimal):
        if isinstance(stored, Decimal128):
            return stored.to_decimal() == sent
        if isinstance(stored, float):
            return Decimal(repr(stored)) == sent
        return isinstance(stored, int) and not isinstance(stored, bool) and Decimal(stored) == sent
    return type(stored) is type(sent) and bool(stored == sent)


def sent(raw: bytes) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(raw, parse_int=Decimal, parse_float=decimal_of)
    return read


def decimal_of(text: str) -> Decimal:
    # Of zero only, an exponent beyond a decimal's is let pass.
    return Decimal(text) if len(text) < 1_000 and not text.endswith("9" * 20) else Decimal(0)


def offset_of(value: bytes) -> int:
    return int(json.loads(value[value.rindex(b'"source":') + len(b'"source":') :][:-1])["offset"])


def test_what_is_scored_is_stored_once_and_unchanged_and_the_rest_is_rejected(
    spark: SparkSession, db: Database[documents.Document], champion: Path
) -> None:
    rng = random.Random(13)
    values = list(odd_events(14, COUNT))
    keys = [rng.choice(KEYS) for _ in values]
    decisions = decide_here(records_of(spark, values, keys), champion).collect()
    assert len(decisions) == COUNT
    assert all(len(row["value"]) + len(row["key"] or b"") < 1_000_000 for row in decisions)
    written = [
        Record(row["topic"], 0, at, NOW, row["key"] and bytes(row["key"]), bytes(row["value"]))
        for at, row in enumerate(decisions)
    ]
    DocumentWriter(db).write(written, NOW)
    DocumentWriter(db).write(written[: COUNT // 10], NOW)

    stored = {known["source"]["offset"]: known for known in db.transactions.find()}
    rejected = {known["source"]["offset"]: known for known in db.rejected.find()}
    scored = {offset_of(record.value) for record in written if record.topic == "scored"}
    both = stored.keys() & rejected.keys()
    assert not both, [(rejected[offset]["reason"], values[offset]) for offset in sorted(both)[:5]]
    assert stored.keys() | rejected.keys() == set(range(COUNT))
    assert stored.keys() <= scored
    # Another event under a taken id is the one reason to reject what was scored.
    assert all(rejected[offset]["reason"].startswith("id: ") for offset in scored - stored.keys())
    for offset, known in stored.items():
        own = {name: value for name, value in known.items() if name not in RESERVED_FIELDS}
        assert same(own, sent(values[offset])), (values[offset], own)
    for offset, known in rejected.items():
        assert known["reason"].startswith(f"{known['field']}: "), known
        if offset not in scored:
            assert known["raw"] == values[offset]
    # Both kinds were tried in numbers, and many reasons.
    assert COUNT / 20 < len(stored) < COUNT * 19 / 20
    assert len(Counter(known["field"] for known in rejected.values())) > 20

    recent = list(db.recent.find())
    assert {known["source"]["offset"] for known in recent} <= stored.keys()
    alerts = {known["source"]["offset"] for known in db.alerts.find()}
    assert alerts == {offset for offset, known in stored.items() if known["prediction"] == 1}


def test_a_scorer_elsewhere_gets_the_same_events(spark: SparkSession, champion: Path) -> None:
    values = list(odd_events(15, COUNT // 10))
    records = records_of(spark, values, [None] * len(values))
    here, elsewhere = (
        {offset_of(bytes(row["value"])): row["topic"] for row in decisions.collect()}
        for decisions in (decide_here(records, champion), decide_elsewhere(records, scorer()))
    )
    assert here == elsewhere


def test_rollups_count_what_is_stored(spark: SparkSession, db: Database[documents.Document], champion: Path) -> None:
    values = [raw[:-1] + f', "{LABEL}": 1}}'.encode() for raw in odd_events(16, COUNT // 10)]
    rows = [("labels", 0, offset, None, bytearray(raw)) for offset, raw in enumerate(values)]
    schema = "topic STRING, partition INT, offset BIGINT, key BINARY, value BINARY"
    labels = spark.createDataFrame(rows, schema).withColumn("timestamp", F.current_timestamp())
    ids = sorted(row["id"] for row in counted(labels).select("id").collect())
    for collection in documents.COLLECTIONS:
        db[collection.name].delete_many({})
    DocumentWriter(db).write([Record("labels", 0, at, NOW, None, raw) for at, raw in enumerate(values)], NOW)
    assert sorted({*ids}) == sorted(known["_id"] for known in db.transactions.find({}, {"_id": 1}))
