"""Stored transactions as rows of a table, for the drill-down and for the search."""

from __future__ import annotations

from typing import Any

from fraudstream.dashboards.data import stored
from fraudstream.dashboards.ui import decisions, words
from fraudstream.dashboards.ui.decisions import purchase
from fraudstream.dashboards.ui.formats import NOTHING, Formats

ROW_COLUMNS: list[dict[str, Any]] = [
    {"field": "id", "headerName": "Transaction", "width": 120, "cellRenderer": "TransactionLink"},
    {"field": "time", "headerName": "Made, UTC", "width": 158},
    {"field": "decision", "headerName": "Decision", "width": 150, "cellClass": "decision"},
    {
        "field": "score",
        "headerName": "Score",
        "width": 76,
        "type": "rightAligned",
        "valueFormatter": decisions.SCORE,
    },
    {
        "field": "amount",
        "headerName": "Amount",
        "width": 96,
        "type": "rightAligned",
        "valueFormatter": decisions.MONEY,
    },
    {"field": "purchase", "headerName": "Purchase", "width": 210},
    {"field": "reasons", "headerName": "Reasons", "flex": 1, "minWidth": 200},
]


def row(document: dict[str, Any], forms: Formats) -> dict[str, Any]:
    """A stored transaction as a row of :data:`ROW_COLUMNS`."""
    fraud = document.get("prediction", document.get("isFraud")) == 1
    fields, at = stored.fields(document), stored.moment(document.get("event_time"))
    return {
        "id": stored.text(document.get("_id")),
        "time": NOTHING if at is None else f"{forms.date(at)} {at:%H:%M:%S}",
        "fraud": fraud,
        "decision": words.verdict(fraud=fraud, labelled="prediction" not in document),
        "score": stored.number(document.get("score")),
        "amount": stored.number(document.get("amount")),
        "purchase": purchase(fields),
        "reasons": words.reasons_of(stored.reasons(document.get("reasons")), fields, forms),
    }
