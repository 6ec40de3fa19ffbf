"""The table of the newest decisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    {"field": "time", "headerName": "UTC", "width": 82},
    {"field": "decision", "headerName": "Decision", "width": 98, "cellClass": "decision"},
    {"field": "score", "headerName": "Score", "width": 68, "type": "rightAligned", "valueFormatter": _SCORE},
    {"field": "amount", "headerName": "Amount", "width": 84, "type": "rightAligned", "valueFormatter": _MONEY},
    {
        "field": "reasons",
        "headerName": "Reasons",
        "flex": 1,
        "minWidth": 200,
        "tooltipField": "contributions",
    },
    {"field": "purchase", "headerName": "Purchase", "width": 196},
    {"field": "latency", "headerName": "ms", "width": 66, "type": "rightAligned", "valueFormatter": _LATENCY},
    {"field": "id", "headerName": "Transaction", "width": 104, "type": "rightAligned"},
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


def caption(recent: Sequence[Decision]) -> str:
    """Which model decided the newest one, and where the reasons' weights are."""
    text = "Hover over a fraud's reasons for their weights"
    return f"Model version {recent[0].model_version}. {text}" if recent else text


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
        "purchase": " · ".join(
            words.label(name, str(features[name]))
            for name in ("category_recipient", "transaction_method")
            if name in features
        ),
        "latency": decision.latency_ms,
    }
