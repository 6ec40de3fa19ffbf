"""The store job beside a bare loop of bulk upserts: the same documents, each into a new store."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from pymongo import ReplaceOne
from pymongo.database import Database

from fraudstream.bench import bounds
from fraudstream.bench.bounds import Bound, ratio
from fraudstream.bench.harness import figures
from fraudstream.bench.harness.running import MEBIBYTE, Report
from fraudstream.bench.harness.scored import publish_scored, scored_records
from fraudstream.bench.harness.stage import Stage, environment_of, with_values
from fraudstream.bench.harness.trained import trained_model
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import FIRST_LIVE_ID
from fraudstream.core.documents import client as documents
from fraudstream.core.documents.client import Document
from fraudstream.core.errors import FraudstreamError
from fraudstream.core.kafka.clients import create_topics
from fraudstream.core.streaming.health import READY_FILE_VARIABLE
from fraudstream.runtime.parts import documentstore, kafka_broker
from fraudstream.runtime.parts.local import spark_job_environment
from fraudstream.runtime.supervise import process
from fraudstream.runtime.supervise.part import Part
from fraudstream.store.records import Record, document

JOB, BARE = "store job", "bare loop of bulk upserts"
BULK = 1_000

_POLL_SECONDS = 0.1
_READY_SECONDS = 120.0
_STALLED_SECONDS = 120.0
_COMPARED = 200
# Fields that differ: the time at which a document was stored, and the broker's time.
_OWN_FIELDS = ("stored_at", "published_at", "latency_ms")

Samples = list[tuple[float, int]]


@dataclass(frozen=True, slots=True)
class Plan:
    """How many scored transactions wait to be stored."""

    documents: int = 120_000
    repeats: int = 3
    ours: dict[str, Any] = field(default_factory=dict)


def measure(plan: Plan, report: Report) -> dict[str, Any]:
    """Measure; returns the results' own part. Raises :class:`FraudstreamError` where a document is lost."""
    report("preparing the model")
    model = trained_model()
    runs: list[dict[str, Any]] = []
    with Stage(mlflow_tracking_uri=model.tracking_uri) as stage:
        stage.start(kafka_broker.part(stage.settings))
        create_topics(stage.settings)
        report(f"{plan.documents:,} scored transactions onto the topic")
        records = scored_records(plan.documents, stage.settings)
        publish_scored(stage.settings, records)
        measures: dict[str, Callable[[Settings], dict[str, Any]]] = {
            JOB: lambda settings: _job(stage, settings, plan),
            BARE: lambda settings: _bare(settings, records),
        }
        for repeat in range(plan.repeats):
            kept: dict[str, list[Document]] = {}
            for name in figures.rotated(tuple(measures), repeat):
                report(f"{name}, run {repeat + 1} of {plan.repeats}")
                with _empty_store(stage, plan.ours) as settings:
                    run = {"repeat": repeat, "contender": name} | measures[name](settings)
                    kept[name] = _kept(documents.database(settings), plan.documents)
                runs.append(run)
            if kept[JOB] != kept[BARE]:
                raise FraudstreamError("The store job and the bare loop stored different documents.")
        kind = documentstore.find_mongod(stage.settings) or "embedded"
    summary = figures.summarised(runs, "contender")
    return {
        "parameters": asdict(plan) | {"store": kind, "bulk": BULK, "start_share": figures.START_SHARE},
        "runs": runs,
        "summary": summary,
        "bounds": bounds.to_json(held(summary)),
    }


@contextmanager
def _empty_store(stage: Stage, ours: dict[str, Any]) -> Iterator[Settings]:
    number = stage.next_number()
    folder = stage.folder / f"store-{number}"
    folder.mkdir()
    settings = with_values(stage.settings, {**ours, "data_dir": folder})
    child = stage.start(replace(documentstore.part(settings), name=f"documents-{number}"))
    try:
        yield settings
    finally:
        stage.stop(child)


def _job(stage: Stage, settings: Settings, plan: Plan) -> dict[str, Any]:
    ready = settings.data_dir / "ready"
    env = environment_of(settings) | spark_job_environment(settings) | {READY_FILE_VARIABLE: str(ready)}
    name = f"store-job-{stage.next_number()}"
    transactions = documents.database(settings)[documents.TRANSACTIONS]
    command = [sys.executable, "-m", "fraudstream.store"]
    child = stage.start(Part(name, command, ready.exists, env=env, ready_timeout_seconds=_READY_SECONDS))
    samples: Samples = []
    grew_at = checked_at = time.monotonic()
    while not samples or samples[-1][1] < plan.documents:
        count = transactions.estimated_document_count()
        now = time.monotonic()
        if not samples or count > samples[-1][1]:
            if samples:
                # Until the check before this one it was the old count.
                samples.append((checked_at, samples[-1][1]))
            samples.append((now, count))
            grew_at = now
        elif now - grew_at > _STALLED_SECONDS or child.poll() is not None:
            raise FraudstreamError(f"{count:,} of {plan.documents:,} documents were stored, and then no more.")
        checked_at = now
        time.sleep(_POLL_SECONDS)
    memory = (process.family_memory(child.pid) or 0) / MEBIBYTE
    stage.stop(child)
    return {"documents_per_second": rate(samples), "memory_peak_mib": round(memory, 1)}


def _bare(settings: Settings, records: Sequence[Record]) -> dict[str, Any]:
    db = documents.database(settings)
    documents.create_indexes(db)
    now = datetime.now(UTC)
    transactions = [document(record, now) for record in records]
    samples: Samples = [(time.monotonic(), 0)]
    for start in range(0, len(transactions), BULK):
        chosen = transactions[start : start + BULK]
        bulk = [ReplaceOne({"_id": transaction["_id"]}, transaction, upsert=True) for transaction in chosen]
        db[documents.TRANSACTIONS].bulk_write(bulk, ordered=False)
        samples.append((time.monotonic(), start + len(bulk)))
    return {"documents_per_second": rate(samples)}


def rate(samples: Samples, start_share: float = figures.START_SHARE) -> float:
    """Documents per second from when at most ``start_share`` of them were stored to when all were; times in seconds.

    Raises ``ValueError`` where the samples do not show so early a moment.
    """
    total = samples[-1][1]
    start = [sample for sample in samples if sample[1] <= total * start_share]
    if not start or samples[-1][0] <= start[-1][0]:
        raise ValueError(f"{total:,} documents were stored before the first look: measure more of them")
    began, before = start[-1]
    return (total - before) / (samples[-1][0] - began)


def _kept(db: Database[Document], expected: int) -> list[Document]:
    """A sample of what is stored, without the fields that differ. Raises :class:`FraudstreamError` on a wrong count."""
    transactions = db[documents.TRANSACTIONS]
    stored = transactions.estimated_document_count()
    if stored != expected:
        raise FraudstreamError(f"{expected:,} transactions were sent and {stored:,} are stored.")
    ids = [FIRST_LIVE_ID + row for row in range(0, expected, max(1, expected // _COMPARED))]
    sample = transactions.find({"_id": {"$in": ids}})
    kept = [{name: value for name, value in row.items() if name not in _OWN_FIELDS} for row in sample]
    return sorted(kept, key=lambda row: int(row["_id"]))


def held(summary: Sequence[dict[str, Any]]) -> list[Bound]:
    """The project's claim about the store job."""
    rates = {row["contender"]: float(row["documents_per_second"]["median"]) for row in summary}
    return bounds.at_least("store job's documents/s by the bare loop's", ratio(rates[JOB], rates[BARE]), 0.6)
