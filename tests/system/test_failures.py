"""Any part may be killed while events flow: no event is lost or doubled, and the part comes back by itself."""

from __future__ import annotations

import os
import signal
import subprocess
from datetime import UTC, datetime

import orjson
import pytest

from fraudstream.core.contract.topics import SCORED
from fraudstream.core.documents import client as documents
from fraudstream.runtime.accounting import await_processed, end_offsets, summarise
from tests.system.conftest import Fraudstream, await_condition

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

EVENTS = 20_000
# Long enough for the part to die and be replaced while events flow.
RATE = 2_000


@pytest.mark.parametrize("part", ["scoring", "stream", "store", "documents", "kafka", "mlflow", "dashboards"])
@pytest.mark.parity("lost connections and restarts lose and double nothing", "local")
def test_killing_a_part_loses_and_doubles_nothing(stack: Fraudstream, part: str) -> None:
    settings = stack.settings
    scored_from = end_offsets(settings, SCORED)
    before = stack.pids()[part]
    words = ("generate", "live", "--count", str(EVENTS), "--rate", str(RATE), "--json")
    generator = stack.start(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    await_condition(lambda: sum(end_offsets(settings, SCORED).values()) > sum(scored_from.values()), 60)
    os.kill(before, signal.SIGKILL)
    out, err = generator.communicate(timeout=600)
    assert generator.returncode == 0, err.decode()[-2000:]
    published = orjson.loads(out)
    await_condition(lambda: stack.pids_ready().get(part) not in (None, before), 180)

    await_processed(settings, 180, lambda _: None)
    produced = {int(number): (start, end) for number, (start, end) in published["offsets"]["transactions"].items()}
    summary = summarise(settings, produced, scored_from, datetime.now(UTC))
    assert (summary.produced, summary.scored, summary.rejected, summary.stored) == (EVENTS, EVENTS, 0, EVENTS)
    ids = {"$gte": published["first_id"], "$lte": published["last_id"]}
    assert documents.database(settings).transactions.count_documents({"_id": ids}) == EVENTS


def test_rollups_are_exact_after_all_that(stack: Fraudstream) -> None:
    db = documents.database(stack.settings)
    stored = db.transactions.count_documents({"origin": "live"})

    def counted() -> int:
        total = db.rollups.find_one({"_id": "total||live|all|all"})
        return int(total["transactions"]) if total else 0

    await_condition(lambda: counted() >= stored, 120)
    assert counted() == stored
