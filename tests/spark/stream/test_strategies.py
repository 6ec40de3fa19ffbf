"""However an output runs, by the contract function or row by row, its records are the same."""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fraudstream.asaql.project_files.folder import InputPlace, OutputPlace
from fraudstream.asaql.project_files.models import InputFile, OutputFile
from fraudstream.asaql.strategies.job_file import job_file
from fraudstream.asaql.strategies.job_query import JobQuery, compiled_query, job_query
from fraudstream.bench.job.equality import Made, made, records_of
from fraudstream.bench.job.events import odd_events as kinds_of_events
from fraudstream.core.contract.event import AMOUNT, FEATURES, FIELD_RULES, ID, PROJECT
from fraudstream.core.errors import ScoringRejected
from fraudstream.stream.scorers import Decision, Scorer
from fraudstream.stream.transformations import decide_elsewhere, decide_here
from tests.events import GOOD, value
from tests.odd_events import odd_events

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.timeless]

COUNT = 6_000
KEYS = (None, b"key", b"\xff\xfe", b"k" * 5_000)


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trees of a model that finds fraud in amounts from 100 on, less so with a large income."""
    codes = {
        rule.name: {choice: code for code, choice in enumerate(rule.choices)}
        for rule in FIELD_RULES
        if rule.name in FEATURES and rule.kind == "text"
    }
    trees = {
        "version": "7",
        "threshold": 0.5,
        "single_precision": True,
        "base": 0.1,
        "features": FEATURES,
        "codes": codes,
        "roots": [0, 3],
        "feature": [0, -1, -1, 2, -1, -1],
        "split": [100.0, 0, 0, 1000.0, 0, 0],
        "left": [1, -1, -1, 4, -1, -1],
        "right": [2, -1, -1, 5, -1, -1],
        "value": [0, -2.0, 2.0, 0, 0.5, -0.7],
        "cover": [10.0, 5.0, 5.0, 10.0, 7.0, 3.0],
    }
    path = tmp_path_factory.mktemp("champion") / "trees.json"
    path.write_text(json.dumps(trees))
    return path


def run(records: DataFrame, champion: Path, query: JobQuery, folder: Path) -> Counter[Made]:
    return made(decide_here(records, champion, job_file(folder, query)))


@pytest.fixture(scope="module")
def events(spark: SparkSession) -> DataFrame:
    good = (value(id=number, amount=90 + number % 40) for number in range(COUNT))
    values = [*odd_events(14, COUNT), *good, *kinds_of_events(PROJECT, COUNT // 2, 3)]
    return records_of(spark, values, keys=KEYS)


def test_the_canonical_query_is_the_contract_function(events: DataFrame, champion: Path, tmp_path: Path) -> None:
    query = job_query(PROJECT)
    assert query.named("contract") == ("scored", "alerts", "rejected")
    by_contract = run(events, champion, query, tmp_path)
    assert query.as_rows().named("rows") == ("scored", "alerts", "rejected")
    by_rows = run(events, champion, query.as_rows(), tmp_path)
    assert by_rows - by_contract == by_contract - by_rows == Counter()
    counted = Counter(topic for topic, _, _ in by_contract.elements())
    assert counted["scored"] + counted["rejected"] == events.count()
    assert min(counted["alerts"], counted["rejected"]) > COUNT / 20


def scorer_of_amounts() -> Callable[[], Scorer]:
    """A scorer elsewhere, which refuses an amount of 95."""

    class AmountScorer:
        def score(self, columns: Mapping[str, Sequence[Any]], attempts: int | None = None) -> list[Decision]:
            if 95 in columns[AMOUNT]:
                raise ScoringRejected("HTTP 400: row 0: amount is cursed")
            reasons = [{"field": AMOUNT, "contribution": 1.5}]
            return [
                Decision(int(amount >= 100), amount / 1e3, 0.1, "9", reasons if amount >= 100 else [])
                for amount in columns[AMOUNT]
            ]

    return AmountScorer


def test_both_are_the_same_with_a_scorer_elsewhere(spark: SparkSession, tmp_path: Path) -> None:
    values = [b"{}", *(value(id=number, amount=90 + number % 20, note="é") for number in range(40))]
    records = records_of(spark, values, keys=(b"key",))
    query = job_query(PROJECT)
    contract, rows = (
        made(decide_elsewhere(records, scorer_of_amounts(), job_file(tmp_path, way)))
        for way in (query, query.as_rows())
    )
    assert contract == rows
    assert Counter(topic for topic, _, _ in rows) == {"scored": 38, "alerts": 20, "rejected": 3}


OWN = """
WITH checked AS (
    SELECT t.*, TRY_CAST(t.{time} AS nvarchar(max)) AS day, CAST(t.{amount} AS bigint) AS whole,
        GetMetadataPropertyValue(t, '[EventHub].[SequenceNumber]') AS place
    FROM transactions t TIMESTAMP BY EventEnqueuedUtcTime
    WHERE t.{amount} != 3
),
decided AS (
    SELECT c.*, udf.score(c) AS decision, CASE WHEN c.whole >= 1000 THEN 'large' ELSE 'small' END AS size
    FROM checked c
    WHERE c.size IS NULL
)
SELECT {kept}, d.merchant, d.size, d.decision.prediction, d.decision.score, d.{label}, System.Timestamp() AS event_time
INTO scored FROM decided d WHERE d.whole != 13;
SELECT d.{id} AS who, d.size, d.PartitionId, d.place, r.told
INTO [large.ones] FROM decided d JOIN sizes r ON d.size = r.size WHERE d.size = 'large';
SELECT 'amount' AS field, CONCAT('amount: ', d.whole, ' is unlucky') AS reason, d.whole, 'mine' AS raw_base64
INTO rejected FROM decided d WHERE d.whole = 13;
SELECT CAST(d.merchant AS bigint) AS number INTO alerts FROM decided d WHERE d.whole = 14
"""


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> JobQuery:
    """A query that filters, rejects, adds columns, and has an output of its own with a key of its own."""
    named = {rule.name: rule.name for rule in FIELD_RULES}
    kept = ", ".join(f"d.{name}" for name in named if name in (ID, AMOUNT, PROJECT.definition.event.time))
    roles = PROJECT.definition.event
    text = OWN.format(id=roles.id, time=roles.time, amount=roles.amount, label=roles.label, kept=kept)
    files = job_query(PROJECT).files
    file = tmp_path_factory.mktemp("query") / "large.ones.json"
    described = {"EventHubProperties": {"EventHubName": "large.ones", "PartitionKey": "size"}}
    place = OutputPlace(file, OutputFile.of({"Name": "large.ones"} | described, file))
    (file.parent / "sizes.csv").write_text("size,told\nsmall,little\nlarge,much\n")
    local = {"InputAlias": "sizes", "Type": "Reference Data", "FilePath": "sizes.csv", "ScriptType": "InputMock"}
    sizes = InputPlace(file, InputFile.of(local, file))
    project = replace(PROJECT, outputs=("large.ones",))
    bound = replace(files, text=text, outputs=(*files.outputs, place), inputs=(*files.inputs, sizes))
    return compiled_query(project, bound)


def test_a_query_of_ones_own_runs_row_by_row(
    spark: SparkSession, own: JobQuery, champion: Path, tmp_path: Path
) -> None:
    assert own.named("rows") == ("scored", "large.ones", "rejected", "alerts")
    raw = value(id=1, amount=12.5, merchant="café").replace(b"12.5,", b"12.50,")
    values = [
        raw,
        value(id=2, amount=2000.25, merchant={"name": "x"}),
        value(id=3, amount=3),
        value(id=4, amount=13.25),
        value(id=5, amount=14, merchant="no number"),
        b"{}",
    ]
    sides = [
        (row["topic"], row["key"] and bytes(row["key"]), bytes(row["value"]))
        for row in decide_here(records_of(spark, values, keys=(b"sent",)), champion, job_file(tmp_path, own)).collect()
    ]
    by_topic = {topic: [(key, json.loads(text)) for name, key, text in sides if name == topic] for topic, _, _ in sides}
    assert {topic: len(records) for topic, records in by_topic.items()} == {"scored": 2, "large.ones": 1, "rejected": 3}

    assert b'"amount":12.50,' in sides[0][2].replace(AMOUNT.encode(), b"amount")
    (key, first), (_, second) = by_topic["scored"]
    place = {"topic": "transactions", "partition": 1, "offset": 0, "enqueued_at": "2026-11-24T10:11:13.250Z"}
    assert (key, first["source"], first["prediction"]) == (b"1", place, 0)
    # What the query leaves out is not there, but for what the event has beside the contract; nor is a missing label.
    own_fields = {ID: 1, AMOUNT: 12.5, PROJECT.definition.event.time: GOOD[PROJECT.definition.event.time]}
    assert first.items() >= (own_fields | {"merchant": "café", "size": "small"}).items()
    assert first.keys() == {*own_fields, "merchant", "size", "prediction", "score", "event_time", "scored_at", "source"}
    assert (first["event_time"], second["size"], second["merchant"]) == (
        "2026-11-24T10:11:13.250000Z",
        "large",
        {"name": "x"},
    )

    assert by_topic["large.ones"] == [
        (b"large", {"who": 2, "size": "large", "PartitionId": 1, "place": 1, "told": "much"})
    ]

    (_, refused), (_, stopped), (key, broken) = by_topic["rejected"]
    assert (refused["field"], refused["reason"], refused["whole"]) == ("amount", "amount: 13 is unlucky", 13)
    assert base64.b64decode(refused["raw_base64"]) == values[3]
    assert (refused["key"], refused["source"]["offset"]) == ("sent", 3)
    # An expression at which Azure's job would stop sets the record aside, and nothing of it comes out elsewhere.
    assert (stopped["field"], stopped["source"]["offset"]) == ("query", 4)
    assert re.fullmatch(
        r"query: .*'no number' cannot be converted to bigint.* \(line 19, column \d+\)", stopped["reason"]
    )
    assert (key, broken["field"]) == (b"sent", ID)
