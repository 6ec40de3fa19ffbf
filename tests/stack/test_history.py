"""The history that a training reads out of a real store: usable rows whole, the others named."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from bson import Decimal128

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import AMOUNT, FEATURES
from fraudstream.core.documents import client as documents
from fraudstream.core.errors import StoreUnavailable
from fraudstream.ml.features import EVENT_TIME, ID, LABEL
from fraudstream.ml.history import read_history
from fraudstream.runtime.parts import documentstore
from fraudstream.runtime.supervise.preflight import free_port
from tests.events import GOOD
from tests.stack.conftest import Running

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    store_settings = Settings(data_dir=tmp_path_factory.mktemp("data"), mongo_port=free_port())
    running = Running(documentstore.part(store_settings), store_settings.data_dir / "documents.log")
    yield store_settings
    running.stop()


def test_rows_that_cannot_be_used_are_left_out_and_named(settings: Settings) -> None:
    moment = datetime(2026, 11, 24, 10, 11, 12, tzinfo=UTC)
    row = {name: GOOD[name] for name in (*FEATURES, AMOUNT)} | {LABEL: 0, "origin": "history", EVENT_TIME: moment}
    transactions = documents.database(settings)[documents.TRANSACTIONS]
    transactions.insert_many(
        [
            row | {"_id": 2**62 + 1},
            row | {"_id": 2, AMOUNT: 1e39},
            row | {"_id": 3, AMOUNT: Decimal128("1.50")},
            row | {"_id": 6, AMOUNT: "1.5"},
            {"_id": "text", "origin": "history"},
            row | {"_id": 4, AMOUNT: 12, LABEL: 1},
            row | {"_id": 5, "origin": "live"},
        ]
    )
    history = read_history(settings)
    assert history.rows.sort_values(ID).to_dict("records") == [
        row_of(row, 3, {AMOUNT: 1.5}),
        row_of(row, 4, {AMOUNT: 12.0, LABEL: 1}),
        row_of(row, 2**62 + 1, {}),
    ]
    assert history.left_out.to_json() == {
        "count": 3,
        "reasons": [
            {"reason": f"{AMOUNT}: beyond single precision", "count": 1, "ids": ["2"]},
            {"reason": f"{AMOUNT}: not a number", "count": 1, "ids": ["6"]},
            {"reason": f"{ID}: not an integer", "count": 1, "ids": ["text"]},
        ],
    }


def row_of(row: dict[str, object], number: int, changes: dict[str, object]) -> dict[str, object]:
    moment = 1_795_515_072_000
    return {ID: number} | {name: row[name] for name in (*FEATURES, AMOUNT, LABEL)} | {EVENT_TIME: moment} | changes


def test_a_store_that_goes_away_while_it_is_read_is_told_in_one_line() -> None:
    away = Settings(mongo_uri="mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=50")  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailable, match=r"^The document store at mongodb://127\.0\.0\.1:9.*does not answer"):
        read_history(away)
