"""A file of one's own, as a newcomer types it: a project, a demo, pages, exports and the linter, with no code written.

The files have the shapes of public data: see tests/shapes.py.
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from fraudstream.core.documents import client as documents
from fraudstream.dashboards.data.searches import ROWS as EXPORTED
from tests.shapes import SHAPES, Shape
from tests.system.conftest import Fraudstream, await_condition, new_fraudstream

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

ROWS, EVENTS = 2_000, 300
LARGE, INIT_SECONDS, FIRST_SCORED_SECONDS = 100_000, 5, 60


class Own(NamedTuple):
    """A project of one's own after its first demo, and what that printed."""

    fraudstream: Fraudstream
    shape: Shape
    summary: dict[str, Any]


@pytest.fixture(scope="module", params=["iso8583", "ieee_cis", "creditcard", "sparkov"])
def own(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Own]:
    shape = SHAPES[request.param]
    fraudstream = new_fraudstream(tmp_path_factory.mktemp(request.param))
    fraudstream.run("init", "own", "--from", str(shape.make(fraudstream.folder, ROWS)))
    fraudstream.variables["FRAUDSTREAM_PROJECT"] = str(fraudstream.folder / "own")
    # The demo leaves parts as they are that ran before it: the pages are looked at behind it.
    fraudstream.run("up", "-d")
    summary = fraudstream.json("demo", "--project", "own", "--events", str(EVENTS), "--exit")
    yield Own(fraudstream, shape, summary)
    fraudstream.run("down")


def test_every_event_is_accounted_for_and_its_label_held_back(own: Own) -> None:
    summary = own.summary
    assert summary["complete"] is True
    assert [summary[name] for name in ("produced", "scored", "rejected", "stored", "labelled")] == [
        *(EVENTS, EVENTS, 0, EVENTS, EVENTS)
    ]
    # Two frauds in a hundred, of which a small model finds more than chance does.
    assert summary["labelled_frauds"] == EVENTS * 2 // 100
    assert 0.02 < summary["average_precision"] <= 1


def test_the_linter_finds_nothing_that_azure_would_refuse(own: Own, project_root: Path) -> None:
    check_linter(own.fraudstream, project_root)


def test_pages_and_exports_show_the_project(own: Own) -> None:
    check_pages(own.fraudstream)


def check_linter(fraudstream: Fraudstream, root: Path) -> None:
    report = replace(fraudstream, folder=root).json("check", "azure")
    assert [finding for finding in report["findings"] if finding["severity"] == "error"] == []


def check_pages(fraudstream: Fraudstream) -> None:
    settings = fraudstream.settings
    await_condition(lambda: "dashboards" in fraudstream.pids_ready(), 60)
    transactions = documents.database(settings)[documents.TRANSACTIONS]
    stored = next(iter(transactions.find({"origin": "live"}).limit(1)))
    with httpx.Client(base_url=settings.dashboard_url, timeout=60) as browser:
        for path in ("/", "/history", "/explorer", f"/explorer?id={stored['_id']}"):
            assert browser.get(path).status_code == 200, path
        assert "Own" in browser.get("/_dash-layout").text
        content = browser.get("/export/rows.csv?origin=live&dimension=all&value=all").raise_for_status().content
        rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
        assert len(rows) == min(EVENTS, EXPORTED)
        known = {str(document["_id"]) for document in transactions.find({"origin": "live"}, {"_id": 1})}
        assert {row["_id"] for row in rows} <= known
        assert browser.get("/export/report.parquet?origin=history").raise_for_status().content[:4] == b"PAR1"


@pytest.mark.timed
def test_a_newcomers_hundred_thousand_rows_are_a_project_and_scored_within_a_minute(
    tmp_path: Path, project_root: Path
) -> None:
    fraudstream = new_fraudstream(tmp_path)
    file = SHAPES["paysim"].make(fraudstream.folder, LARGE)
    started = time.monotonic()
    fraudstream.run("init", "own", "--from", str(file))
    assert time.monotonic() - started <= INIT_SECONDS
    fraudstream.variables["FRAUDSTREAM_PROJECT"] = str(fraudstream.folder / "own")
    words = ("demo", "--project", "own", "--events", str(EVENTS), "--rate", "50", "--exit")
    summary = fraudstream.json(*words)
    assert summary["complete"] is True
    assert [summary[name] for name in ("produced", "scored", "stored", "labelled")] == [EVENTS] * 4
    assert summary["seconds_to_first_scored"] <= FIRST_SCORED_SECONDS
    fraudstream.run("up", "-d")
    try:
        check_linter(fraudstream, project_root)
        check_pages(fraudstream)
    finally:
        fraudstream.run("down")
