"""Scored transactions as the stream job puts them on `scored`, for the benchmark of what stores them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import orjson

from fraudstream.bench.harness.load import SEED
from fraudstream.bench.harness.source import live
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import FEATURES, parse_event
from fraudstream.core.contract.topics import SCORED, TRANSACTIONS, partitions
from fraudstream.core.kafka.clients import producer
from fraudstream.core.registry import load_version
from fraudstream.store.records import Record


def scored_records(count: int, settings: Settings) -> list[Record]:
    """``count`` records with different ids and the registered model's decisions, spread over the partitions."""
    model = load_version(settings, "1").model
    values = list(live(count, SEED))
    events = [parse_event(value) for value in values]
    columns = {name: [event.value(name) for event in events] for name in FEATURES}
    scores = model.score_columns(columns)
    alerts = [row for row, score in enumerate(scores) if score >= model.threshold]
    chosen = {name: [columns[name][row] for row in alerts] for name in FEATURES}
    reasons = dict(zip(alerts, model.explain_columns(chosen), strict=True)) if alerts else {}
    now = datetime.now(UTC)
    stamp = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    share = partitions(settings)
    records = []
    for row, (value, score) in enumerate(zip(values, scores.tolist(), strict=True)):
        source = {"topic": TRANSACTIONS, "partition": row % share, "offset": row // share, "enqueued_at": stamp}
        decision = {
            "event_time": events[row].time,
            "prediction": int(row in reasons),
            "score": score,
            "threshold": model.threshold,
            "model_version": "1",
            "scored_at": stamp,
            "reasons": reasons.get(row, []),
            "source": source,
        }
        text = value[:-1] + b"," + orjson.dumps(decision, option=orjson.OPT_SERIALIZE_NUMPY)[1:]
        records.append(Record(SCORED, row % share, row // share, now, str(events[row].id).encode(), text))
    return records


def publish_scored(settings: Settings, records: Sequence[Record]) -> None:
    """Publish the records, each to its partition, and await every acknowledgement."""
    sender = producer(settings)
    try:
        acknowledgements = [
            sender.send(SCORED, key=record.key, value=record.value, partition=record.partition) for record in records
        ]
        sender.flush()
        for acknowledgement in acknowledgements:
            acknowledgement.get(timeout=60)
    finally:
        sender.close()
