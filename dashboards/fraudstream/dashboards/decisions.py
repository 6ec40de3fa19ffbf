"""The table of the newest decisions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import dash_ag_grid as dag

from fraudstream.dashboards import words
from fraudstream.dashboards.queries import Decision

TABLE_ID = "live-decisions-table"
ROWS_SHOWN = 100

_THEME = """themeQuartz.withParams({
    backgroundColor: 'transparent', foregroundColor: 'var(--ink)', borderColor: 'var(--line)',
    headerBackgroundColor: 'transparent', headerTextColor: 'var(--muted)', headerFontWeight: 600,
    rowHoverColor: 'var(--hover)', oddRowBackgroundColor: 'transparent', accentColor: 'var(--accent)',
    wrapperBorder: false, fontFamily: 'inherit', fontSize: 13, headerFontSize: 12, spacing: 6, cellHorizontalPadding: 10
})"""

_MONEY = {"function": "params.value == null ? '' : d3.format(',.2f')(params.value)"}
_SCORE = {"function": "params.value == null ? '' : d3.format('.3f')(params.value)"}
_LATENCY = {"function": "params.value == null ? '–' : d3.format(',.0f')(params.value)"}

_COLUMNS: list[dict[str, Any]] = [
    {"field": "time", "headerName": "Arrived (UTC)", "width": 118},
    {"field": "decision", "headerName": "Decision", "width": 112, "cellClass": "decision"},
    {"field": "score", "headerName": "Score", "width": 78, "type": "rightAligned", "valueFormatter": _SCORE},
    {"field": "amount", "headerName": "Amount", "width": 92, "type": "rightAligned", "valueFormatter": _MONEY},
    {
        "field": "reasons",
        "headerName": "Reasons",
        "flex": 1,
        "minWidth": 230,
        "tooltipField": "contributions",
    },
    {"field": "category", "headerName": "Category", "width": 112},
    {"field": "method", "headerName": "Method", "width": 136},
    {"field": "latency", "headerName": "ms", "width": 70, "type": "rightAligned", "valueFormatter": _LATENCY},
    {"field": "id", "headerName": "Transaction", "width": 108, "type": "rightAligned"},
    {"field": "model", "headerName": "Model", "width": 76, "type": "rightAligned"},
]


def table() -> dag.AgGrid:
    """An empty table; rows keep their place in the page by the transaction's id."""
    return dag.AgGrid(
        id=TABLE_ID,
        columnDefs=_COLUMNS,
        rowData=[],
        getRowId="params.data.id",
        rowClassRules={"row-fraud": "params.data.fraud"},
        defaultColDef={"sortable": True, "resizable": True, "suppressMovable": True, "suppressHeaderMenuButton": True},
        dashGridOptions={
            "theme": {"function": _THEME},
            "rowHeight": 34,
            "headerHeight": 34,
            "tooltipShowDelay": 300,
            "suppressCellFocus": False,
            "animateRows": False,
            "suppressNoRowsOverlay": True,
        },
        style={"height": "372px", "width": "100%"},
        className="decisions",
    )


def rows(recent: Iterable[Decision], *, frauds_only: bool) -> list[dict[str, Any]]:
    """The newest decisions, newest first, as the table's rows."""
    chosen = (decision for decision in recent if decision.fraud or not frauds_only)
    return [row(decision) for decision, _ in zip(chosen, range(ROWS_SHOWN), strict=False)]


def row(decision: Decision) -> dict[str, Any]:
    """One decision in words; a shape stands beside the colour for those who do not see it."""
    features = decision.features
    return {
        "id": str(decision.id),
        "time": f"{decision.enqueued_at:%H:%M:%S}",
        "decision": "▲ Fraud" if decision.fraud else "Legitimate",
        "fraud": decision.fraud,
        "score": decision.score,
        "amount": features.get("amount"),
        "reasons": words.reasons_in_words(decision),
        "contributions": words.reasons_in_figures(decision.reasons),
        "category": words.label("category_recipient", str(features.get("category_recipient", ""))),
        "method": words.label("transaction_method", str(features.get("transaction_method", ""))),
        "latency": decision.latency_ms,
        "model": f"v{decision.model_version}",
    }
