"""Stored transactions as rows of a table: the drill-down's and the search's."""

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


def row(made: dict[str, Any], forms: Formats) -> dict[str, Any]:
    """A stored transaction as a row of the drill-down's table."""
    fraud = made.get("prediction", made.get("isFraud")) == 1
    fields, at = stored.fields(made), stored.moment(made.get("event_time"))
    return {
        "id": stored.text(made.get("_id")),
        "time": NOTHING if at is None else f"{forms.date(at)} {at:%H:%M:%S}",
        "fraud": fraud,
        "decision": ("▲ Fraud" if fraud else "Legitimate") + (", labelled" if "prediction" not in made else ""),
        "score": stored.number(made.get("score")),
        "amount": stored.number(made.get("amount")),
        "purchase": purchase(fields),
        "reasons": words.reasons_of(stored.reasons(made.get("reasons")), fields, forms),
    }
