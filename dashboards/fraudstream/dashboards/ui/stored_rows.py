"""Stored transactions as rows of a table, for the drill-down and for the search."""

from __future__ import annotations

from typing import Any

from fraudstream.core.contract.event import AMOUNT, RULES
from fraudstream.core.contract.field_rules import value_at
from fraudstream.dashboards.data import fields, stored
from fraudstream.dashboards.data.searches import PLAIN_INPUTS
from fraudstream.dashboards.ui import decisions, words
from fraudstream.dashboards.ui.formats import NOTHING, Formats


def _chosen_columns() -> list[dict[str, Any]]:
    """The project's own columns: who takes part, the texts of few values, and without these the first inputs."""
    columns: list[dict[str, Any]] = [
        {"field": f"entity{number}", "headerName": words.field_label(name), "width": 150}
        for number, name in enumerate(fields.SHOWN_ENTITIES)
    ]
    if words.SUMMARY:
        columns.append({"field": "summary", "headerName": words.SUMMARY_TITLE, "width": 210})
    columns += [
        {
            "field": f"input{number}",
            "headerName": words.with_unit(words.field_label(name), name),
            "width": 110,
            "type": "rightAligned",
        }
        for number, name in enumerate(PLAIN_INPUTS)
    ]
    return columns


_ID_WIDTH = 180 if decisions.HAS_TEXT_IDS else 120

ROW_COLUMNS: list[dict[str, Any]] = [
    {"field": "transaction", "headerName": "Transaction", "width": _ID_WIDTH, "cellRenderer": "TransactionLink"},
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
        "headerName": decisions.AMOUNT_TITLE,
        "width": max(96, decisions.AMOUNT_WIDTH),
        "type": "rightAligned",
        "valueFormatter": decisions.MONEY,
    },
    *_chosen_columns(),
    {"field": "reasons", "headerName": "Reasons", "flex": 1, "minWidth": 200},
]


def row(document: dict[str, Any], forms: Formats) -> dict[str, Any]:
    """A stored transaction as a row of :data:`ROW_COLUMNS`; its ``id`` is whole, and fit for an address."""
    fraud = fields.is_fraud(document)
    known, at = stored.fields(document), stored.moment(document.get("event_time"))
    return {
        **decisions.id_cells(document.get("_id")),
        "time": NOTHING if at is None else f"{forms.date(at)} {at:%H:%M:%S}",
        "fraud": fraud,
        "decision": words.verdict(fraud=fraud, labelled="prediction" not in document),
        "score": stored.number(document.get("score")),
        "amount": stored.number(value_at(document, RULES[AMOUNT].path)),
        "summary": words.summary(known),
        "reasons": words.reasons_of(stored.reasons(document.get("reasons")), known, forms),
        **{f"entity{number}": decisions.entity(known.get(name)) for number, name in enumerate(fields.SHOWN_ENTITIES)},
        **{f"input{number}": _cell(name, known.get(name), forms) for number, name in enumerate(PLAIN_INPUTS)},
    }


def _cell(name: str, value: Any, forms: Formats) -> str:
    if value is None:
        return NOTHING
    if isinstance(value, bool) or RULES[name].kind not in ("int", "float"):
        return stored.text(words.exact(name, value, forms), 60)
    return forms.decimals(value, words.decimals(name)) if isinstance(value, int | float) else stored.text(value, 60)
