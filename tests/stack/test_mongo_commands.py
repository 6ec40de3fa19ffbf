"""The commands that reach the document store are those that were recorded, which `check azure` reads.

``pytest --record-mongo-commands tests/stack/test_mongo_commands.py`` records them anew.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo import monitoring
from pyspark.sql import Row

from fraudstream.cloud.check.subject import COMMANDS_FILE
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.documents import client as documents
from fraudstream.core.documents.throttling import WriteLimits
from fraudstream.core.streaming.checkpoints import Checkpoint
from fraudstream.dashboards.data.queries import Reader, read_recent
from fraudstream.ml.history import await_history
from fraudstream.runtime import accounting
from fraudstream.runtime.status import collect
from fraudstream.store.records import Record
from fraudstream.store.rejected import find
from fraudstream.store.rollups import forget_older, write_rollups
from fraudstream.store.seeding import is_wanted, write_seed
from fraudstream.store.writer import DocumentWriter
from tests.events import value
from tests.recording import Recorder
from tests.stack.conftest import Running
from tests.stack.test_writer import scored

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

NOW = datetime(2026, 11, 24, 10, 11, 15, tzinfo=UTC)
NOTE = "Recorded by `pytest --record-mongo-commands tests/stack/test_mongo_commands.py`."


def recorded(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Let every part that talks to the store do all that it does there."""
    recorder = Recorder()
    monitoring.register(recorder)
    db = documents.database(settings)
    with recorder.of("store job: start"):
        documents.create_indexes(db)
    # Few enough to surpass here, so that pruning happens.
    monkeypatch.setattr("fraudstream.store.writer.ALERTS_KEPT", 5)
    monkeypatch.setattr("fraudstream.store.writer._PRUNE_SURPLUS", 3)
    records = [scored(number, number, prediction=1) for number in range(20)]
    records.append(Record("labels", 0, 0, NOW, None, value(id=900, isFraud=1)))
    records.append(Record("labels", 0, 1, NOW, None, b"broken"))
    with recorder.of("store job: documents"):
        writer = DocumentWriter(db)
        writer.write(records, NOW)
        writer.write(records, NOW)
        writer.prune_alerts()
    minute = int(datetime(2026, 11, 24, 10, 11, tzinfo=UTC).timestamp()) * 1_000_000
    rollup = {"period": "minute", "start_micros": minute, "origin": "live"}
    figures = {"transactions": 1, "frauds": 0, "amount": 1.0, "fraud_amount": 0.0}
    rows = [Row(**rollup, dimension="all", value=str(number), **figures) for number in range(3)]
    with recorder.of("store job: rollups"):
        write_rollups(db, rows, NOW)
        forget_older(db, datetime(2026, 11, 1, tzinfo=UTC), WriteLimits())
        assert is_wanted(db)
        write_seed(db, Checkpoint("rollups", settings.data_dir / "checkpoints" / "rollups.1"), WriteLimits())
    with recorder.of("training"):
        await_history(settings, 1, lambda _: None)
        list(db[documents.TRANSACTIONS].find({"origin": "history"}, {"amount": 1}, batch_size=5_000))
    with recorder.of("dashboards"):
        reader = Reader(db)
        reader.live(NOW, ring=True)
        reader.history(NOW)
        read_recent(db)
    with recorder.of("rejected list"):
        find(settings)
        find(settings, "value")
        list(db[documents.REJECTED].find({"_id": {"$in": ["labels/0/1"]}}))
    with recorder.of("status"):
        collect(settings)
    with recorder.of("accounting"):
        accounting.count_rejected(db, {0: (0, 10)})
        accounting.count_stored(db, [1, 2, 3])
        accounting.stored_history(settings, 1)
    return sorted(
        recorder.commands, key=lambda command: (command["from"], json.dumps(command["command"], sort_keys=True))
    )


def test_the_recorded_commands_are_those_that_are_sent(
    store: Running,
    settings: Settings,
    project_root: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    commands = recorded(settings, monkeypatch)
    file = project_root / COMMANDS_FILE
    if request.config.getoption("--record-mongo-commands"):
        file.write_text(json.dumps({"note": NOTE, "commands": commands}, indent=1) + "\n", "utf-8")
    assert json.loads(file.read_text("utf-8"))["commands"] == commands
    names = {next(iter(command["command"])) for command in commands}
    assert {"find", "insert", "update", "delete", "count", "createIndexes"} <= names
    assert {command["from"] for command in commands} >= {"dashboards", "store job: documents", "training"}
