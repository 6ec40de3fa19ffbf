"""What training makes of the inputs that the query of `cards` computes: run by ``test_computed.py``."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson
from bson.decimal128 import Decimal128

from fraudstream.core.contract.event import COMPUTED_FEATURES, FEATURES, ID, LABEL, OPTIONAL_FEATURES, plain_inputs
from fraudstream.ml import signature
from fraudstream.ml.computed import joined, ordered_events
from fraudstream.ml.features import EVENT_TIME, matrix
from fraudstream.ml.history import rows_of
from fraudstream.ml.usable import sort_rows

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EVENT = orjson.loads(
    b'{"made_at":"2026-03-01T12:00:00.000Z","customer":"U1","card":"C1","terminal":"T1","category":"fuel",'
    b'"country":"BE","currency":"EUR","amount":5.5,"channel":"chip","recurring":false,"authenticated":true}'
)


def document(id: int, **fields: Any) -> dict[str, Any]:
    return EVENT | {"_id": id, EVENT_TIME: NOON, "origin": "history", LABEL: id % 2, "campaign": None} | fields


def test_events_have_no_label_and_nothing_of_their_documents() -> None:
    first = document(1, amount=Decimal128("5.500"), more={"x": 1}, score=0.4, card_count_1h=9)
    (event,) = map(orjson.loads, ordered_events([first]))
    assert event == EVENT | {ID: 1, "more": {"x": 1}}
    assert b'"amount":5.500' in next(ordered_events([first]))


def test_events_come_in_the_order_of_time_of_arrival_and_of_ids() -> None:
    late, early = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC), datetime(2026, 3, 1, 12, 0, 4, tzinfo=UTC)
    stored = [
        document(1, event_time=late),
        document(9, origin="live", enqueued_at=early, source={"partition": 1, "offset": 7}),
        document(2, origin="live", enqueued_at=early, source={"partition": 1, "offset": 8}),
        document(4, origin="live", enqueued_at=early, source={"partition": 0, "offset": 9}),
        document(3),
    ]
    events = [orjson.loads(event) for event in ordered_events(stored)]
    assert [event[ID] for event in events] == [3, 4, 9, 2, 1]
    assert [event.get("EventEnqueuedUtcTime", "")[:19] for event in events] == ["", *["2026-03-01T12:00:04"] * 3, ""]


def test_rows_get_what_was_computed_of_them_and_a_row_without_is_left_out() -> None:
    history = rows_of([sort_rows([document(id) for id in (1, 2, 3)])])
    assert history.rows[list(COMPUTED_FEATURES)].isna().all(axis=None)
    values = {name: float(place) for place, name in enumerate(COMPUTED_FEATURES)}
    lines = [orjson.dumps(values | {ID: id, COMPUTED_FEATURES[0]: value}) for id, value in ((3, 7), (1, None))]
    rows, left_out = joined(history.rows, history.left_out, lines)
    assert rows[ID].tolist() == [1, 3]
    assert np.array_equal(rows[COMPUTED_FEATURES[0]], [np.nan, 7.0], equal_nan=True)
    assert matrix(rows)[:, FEATURES.index(COMPUTED_FEATURES[5])].tolist() == [5.0, 5.0]
    assert str(left_out) == "the query gives the model no record of it (1: 2)"


def test_a_scored_document_keeps_them() -> None:
    history = rows_of([sort_rows([document(1, **dict.fromkeys(COMPUTED_FEATURES, 3))])])
    assert history.rows[list(COMPUTED_FEATURES)].to_numpy().tolist() == [[3.0] * len(COMPUTED_FEATURES)]


def test_the_signature_and_a_plain_row_have_them() -> None:
    columns = {column.name: column for column in signature.of_project().inputs}
    assert list(columns) == list(FEATURES) == list(plain_inputs())
    assert {name for name in COMPUTED_FEATURES if columns[name].required} == set()
    assert set(COMPUTED_FEATURES) <= OPTIONAL_FEATURES
