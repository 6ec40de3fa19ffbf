"""The demo as a newcomer types it: from nothing to an account of every event."""

from __future__ import annotations

import hashlib
import itertools
from typing import Any

import psutil
import pytest

from fraudstream.core.documents import client as documents
from fraudstream.generator.malformed import mix
from fraudstream.generator.simulators.payments.transactions import generate
from fraudstream.runtime import lifecycle
from fraudstream.runtime.accounting import await_processed
from tests.system.conftest import Fraudstream, await_condition

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]


@pytest.mark.parity("every event is scored or rejected, and stored once", "local")
def test_every_event_of_a_first_demo_is_accounted_for(demo: tuple[Fraudstream, dict[str, Any]]) -> None:
    _, summary = demo
    assert summary["complete"] is True
    assert (summary["produced"], summary["scored"], summary["rejected"], summary["stored"]) == (
        20_000,
        20_000,
        0,
        20_000,
    )
    assert 0.05 < summary["frauds"] / summary["scored"] < 0.12
    assert 0 < summary["latency_p50_ms"] <= summary["latency_p95_ms"] <= summary["latency_p99_ms"]


def test_it_leaves_no_process_behind(demo: tuple[Fraudstream, dict[str, Any]]) -> None:
    fraudstream, _ = demo
    if fraudstream_is_up(fraudstream):
        pytest.fail("the demo's --exit left its parts running")
    marker = str(fraudstream.folder)
    remaining = [
        p.info["cmdline"] for p in psutil.process_iter(["cmdline"]) if marker in " ".join(p.info["cmdline"] or ())
    ]
    assert remaining == []


def test_a_second_demo_on_the_same_data_loses_and_doubles_nothing(stack: Fraudstream) -> None:
    db = documents.database(stack.settings)
    before = db.transactions.count_documents({"origin": "live"})
    summary = stack.json("demo", "--events", "20000", "--rate", "0", "--exit")
    assert summary["complete"] is True
    assert (summary["produced"], summary["scored"], summary["stored"]) == (20_000, 20_000, 20_000)
    assert db.transactions.count_documents({"origin": "live"}) == before + 20_000
    assert db.transactions.count_documents({"origin": "history"}) == 20_000


@pytest.mark.parity("what breaks the contract is rejected by its field", "local")
def test_malformed_events_are_rejected_by_the_name_of_their_field(stack: Fraudstream) -> None:
    published = stack.json("generate", "live", "--count", "20000", "--rate", "0", "--malformed", "1000", "--seed", "11")
    assert (published["produced"], published["malformed"]) == (20_000, 1_000)
    await_no_lag(stack)
    db = documents.database(stack.settings)
    ids = {"$gte": published["first_id"], "$lte": published["last_id"]}
    assert db.transactions.count_documents({"_id": ids}) == 19_000

    rejected = {}
    for partition, (start, end) in published["offsets"]["transactions"].items():
        chosen = {"source.partition": int(partition), "source.offset": {"$gte": start, "$lt": end}}
        for document in db.rejected.find(chosen | {"source.topic": "transactions"}):
            rejected[document["_id"]] = document
    assert len(rejected) == 1_000
    assert all(document["reason"].startswith(f"{document['field']}: ") for document in rejected.values())

    good = generate(20_000, published["first_id"], 11, labelled=False, dates=itertools.repeat("24/11/2026 10:11:12"))
    expected: dict[str, int] = {}
    for record in mix(good, published["first_id"], count=20_000, malformed_count=1_000, seed=11):
        if record.kind is not None:
            expected[record.field] = expected.get(record.field, 0) + 1
    counted: dict[str, int] = {}
    for document in rejected.values():
        counted[document["field"]] = counted.get(document["field"], 0) + 1
    assert counted == expected
    whole = [
        document
        for document in rejected.values()
        if document["raw_bytes"] <= 256 * 1024 and not document["reason"].startswith("id: ")
    ]
    assert all(hashlib.sha256(bytes(document["raw"])).hexdigest() == document["raw_sha256"] for document in whole)


@pytest.mark.parity("rollups are exact", "local")
def test_rollups_equal_an_independent_count_of_the_documents(stack: Fraudstream) -> None:
    await_no_lag(stack)
    db = documents.database(stack.settings)
    live = list(db.transactions.find({"origin": "live"}, {"prediction": 1, "day_of_week": 1, "amount": 1}))
    expected: dict[str, list[float]] = {}
    for document in live:
        for name in ("all", document["day_of_week"]):
            counts = expected.setdefault(name, [0, 0, 0.0])
            counts[0] += 1
            counts[1] += document["prediction"]
            counts[2] += document["amount"]

    def rollups() -> dict[str, list[float]]:
        chosen = {"period": "total", "origin": "live", "dimension": {"$in": ["all", "day_of_week"]}}
        return {r["value"]: [r["transactions"], r["frauds"], r["amount"]] for r in db.rollups.find(chosen)}

    await_condition(lambda: rollups().get("all", [0])[0] >= len(live), 60)
    stored = rollups()
    assert stored.keys() == expected.keys()
    for name, counts in expected.items():
        assert stored[name] == pytest.approx(counts, rel=1e-9)
    minutes = db.rollups.find({"period": "minute", "origin": "live", "dimension": "all"})
    assert sum(r["transactions"] for r in minutes) == len(live)


def await_no_lag(fraudstream: Fraudstream) -> None:
    await_processed(fraudstream.settings, 120, lambda _: None)


def fraudstream_is_up(fraudstream: Fraudstream) -> bool:
    return lifecycle.is_running(fraudstream.settings)
