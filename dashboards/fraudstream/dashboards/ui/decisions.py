"""The table of the newest decisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any

import dash_ag_grid as dag
from dash import html

from fraudstream.dashboards.data.queries import Decision
from fraudstream.dashboards.ui import words
from fraudstream.dashboards.ui.accessibility import aria
from fraudstream.dashboards.ui.formats import Formats

TABLE_ID = "live-decisions-table"

GRID_THEME = """themeQuartz.withParams({
    backgroundColor: 'transparent', foregroundColor: 'var(--ink)', borderColor: 'var(--line)',
    headerBackgroundColor: 'transparent', headerTextColor: 'var(--muted)', headerFontWeight: 600,
    rowHoverColor: 'var(--hover)', oddRowBackgroundColor: 'transparent', accentColor: 'var(--accent)',
    wrapperBorder: false, fontFamily: 'inherit', fontSize: 13, headerFontSize: 12, spacing: 6, cellHorizontalPadding: 10
})"""

# These functions in assets/dashAgGridFunctions.js write numbers as the browser's locale does.
MONEY = {"function": "money(params.value)"}
SCORE = {"function": "score(params.value)"}
WHOLE = {"function": "whole(params.value)"}

_COLUMNS: list[dict[str, Any]] = [
    {"field": "time", "headerName": "UTC", "width": 98},
    {"field": "decision", "headerName": "Decision", "width": 92, "cellClass": "decision"},
    {"field": "score", "headerName": "Score", "width": 64, "type": "rightAligned", "valueFormatter": SCORE},
    {"field": "amount", "headerName": "Amount", "width": 84, "type": "rightAligned", "valueFormatter": MONEY},
    {
        "field": "reasons",
        "headerName": "Reasons",
        "flex": 1,
        "minWidth": 120,
        "tooltipField": "contributions",
    },
    {"field": "purchase", "headerName": "Purchase", "width": 206},
    {"field": "latency", "headerName": "ms", "width": 58, "type": "rightAligned", "valueFormatter": WHOLE},
    {
        "field": "id",
        "headerName": "Transaction",
        "width": 98,
        "type": "rightAligned",
        "cellRenderer": "TransactionLink",
    },
]


def decisions_table() -> html.Div:
    """An empty table. The transaction's id identifies a row, so that a refresh keeps the rows in place."""
    return grid(TABLE_ID, _COLUMNS, height=372, row_id="params.data.id", label="Newest decisions")


def grid(grid_id: str, columns: list[dict[str, Any]], *, height: int, row_id: str, label: str) -> html.Div:
    """An empty table in the pages' style; ``height`` in pixels, ``label`` is its name for a screen reader."""
    table = dag.AgGrid(
        id=grid_id,
        columnDefs=columns,
        rowData=[],
        getRowId=row_id,
        rowClassRules={"row-fraud": "params.data.fraud"},
        defaultColDef={"sortable": True, "resizable": True, "suppressMovable": True, "suppressHeaderMenuButton": True},
        dashGridOptions={
            "theme": {"function": GRID_THEME},
            "rowHeight": 34,
            "headerHeight": 34,
            "tooltipShowDelay": 300,
            "suppressCellFocus": False,
            "animateRows": False,
            "suppressNoRowsOverlay": True,
            "suppressColumnVirtualisation": True,
        },
        style={"height": f"{height}px", "width": "100%"},
        className="decisions",
    )
    # The height is reserved while the library loads, so that nothing below moves.
    reserved = {"minHeight": f"{height}px"}
    return html.Div(table, className="grid", role="region", style=reserved, **aria(label=label))


def caption(newest: Sequence[Decision]) -> str:
    """The model version of the newest decision, and where a reader finds the weights of the reasons."""
    text = "Hover over a fraud's reasons for their weights"
    return f"Model version {newest[0].model_version}. {text}" if newest else text


def rows(decisions: Iterable[Decision], forms: Formats) -> list[dict[str, Any]]:
    """Decisions as the table's rows, in the order given."""
    return [row(decision, forms) for decision in decisions]


def row(decision: Decision, forms: Formats) -> dict[str, Any]:
    """One decision in words. A fraud has a shape beside its colour, for people who do not see the colour."""
    features = decision.features
    return {
        "id": str(decision.id),
        "time": forms.time(decision.enqueued_at.astimezone(UTC)),
        "decision": words.verdict(fraud=decision.fraud),
        "fraud": decision.fraud,
        "score": decision.score,
        "amount": features.get("amount"),
        "reasons": words.reasons_in_words(decision, forms),
        "contributions": words.reasons_in_figures(decision.reasons),
        "purchase": purchase(features),
        "latency": decision.latency_ms,
    }


def purchase(fields: Any) -> str:
    """What was bought and how it was paid, in words."""
    return " · ".join(
        words.label(name, str(fields[name])) for name in ("category_recipient", "transaction_method") if name in fields
    )
