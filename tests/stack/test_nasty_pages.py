"""The pages over the real store, which holds documents as nobody should have stored them."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import bson
import pytest
from bson.raw_bson import RawBSONDocument
from pymongo.errors import PyMongoError

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.documents import client as documents
from fraudstream.dashboards.app import create_app
from fraudstream.dashboards.data import stored
from fraudstream.dashboards.data.sources import NoTail, Sources
from tests import nasty_documents as nasty
from tests.pages import ask_callback, ask_for_page
from tests.stack.conftest import Running
from tests.unit.dashboards.conftest import make_transactions
from tests.unit.dashboards.data.test_nasty_documents import check_csv, check_shown

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]

NOW = datetime(2026, 5, 4, 12, 0, 30, tzinfo=UTC)
NUMBER = 400
DEPTHS = (90, 150, 250, 300, 900)


class RawStore:
    """Puts documents as they are into the store's collections."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connect()

    def _connect(self) -> None:
        client = documents.client(self._settings, document_class=stored.RAW)
        self._database = client[self._settings.mongo_database]

    def put(self, collection: str, document: RawBSONDocument) -> bool:
        """Whether the store took it: an old store may refuse what another one took."""
        try:
            self._database[collection].insert_one(document)
        except (PyMongoError, KeyError):
            # The store may have ended the connection, and the same client looks for it again after half a second.
            self._database.client.close()
            self._connect()
            return False
        return True


def test_pages_and_files_are_answered_whatever_is_stored(store: Running, settings: Settings) -> None:
    raw = RawStore(settings)
    good = [
        {**transaction, "origin": "live", "stored_at": NOW}
        for transaction in make_transactions(50, NOW, timedelta(minutes=50), seed=3)
    ]
    spoilt = nasty.documents(good, NUMBER, seed=21)
    taken = 0
    for number, document in enumerate(spoilt):
        element = bson.encode({"_id": number})[4:-1]
        whole = RawBSONDocument(
            (len(document.raw) + len(element)).to_bytes(4, "little") + element + bytes(document.raw)[4:]
        )
        taken += raw.put(documents.TRANSACTIONS, whole)
        if number % 2:
            raw.put(documents.RECENT, whole)
            raw.put(documents.ALERTS, whole)
    deep = [
        nasty.with_elements({"_id": 10_000 + depth + in_lists, **good[0]}, nasty.deep_bytes(depth, in_lists=in_lists))
        for depth in DEPTHS
        for in_lists in (False, True)
    ]
    kept = [document for document in deep if raw.put(documents.TRANSACTIONS, document)]
    assert taken > NUMBER // 2
    assert len(kept) >= 6
    rng = random.Random(4)
    for number in range(100):
        event = {"_id": f"transactions/0/{number}", "rejected_at": NOW, "reason": nasty.value(rng), "raw": b"\xff\x1b"}
        raw.put(documents.REJECTED, RawBSONDocument(bson.encode(event | {"raw_bytes": rng.choice(nasty.NUMBERS)})))

    reading = Sources.of(settings)
    reading.tail = NoTail()
    with reading as sources:
        browser = create_app(settings, sources).server.test_client()
        for feed in (sources.live, sources.history, sources.rejected):
            assert feed.look(patience_seconds=30).problem == ""
        for path in ("/", "/history", "/explorer", "/system"):
            answer = ask_for_page(browser, path)
            assert answer.status_code == 200
            check_shown(answer.text)
        for document in kept:
            answer = ask_callback(
                browser, "explorer-transaction.children", {"explorer-id": str(document["_id"])}, "explorer-id.value"
            )
            assert answer.status_code == 200
            assert "Way through the parts" in answer.text
            check_shown(answer.text)
        for values in ({"explorer-field": "origin", "explorer-value": "live", "explorer-where": "all"},):
            answer = ask_callback(browser, "explorer-rows.rowData", values, "explorer-find.n_clicks")
            assert len(answer.get_json()["response"]["explorer-rows"]["rowData"]) > 100
            check_shown(answer.text)
        rejected = ask_callback(
            browser, "explorer-rejections.rowData", {"explorer-tab": "rejected"}, "explorer-tab.value"
        )
        assert rejected.get_json()["response"]["explorer-rejections"]["rowData"]
        check_shown(rejected.text)
        for form in ("csv", "parquet"):
            answer = browser.get(f"/export/rows.{form}?origin=live&dimension=all&value=all")
            assert answer.status_code == 200, answer.text
            if form == "csv":
                check_csv(answer.data, answer.data.count(b"\n") - 1)
