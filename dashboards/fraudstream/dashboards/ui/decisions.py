"""The table of the newest decisions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any
from urllib.parse import quote

import dash_ag_grid as dag
from dash import html

from fraudstream.core.contract.event import AMOUNT, ID, RULES
from fraudstream.core.contract.field_rules import as_double
from fraudstream.dashboards.data import fields, stored
from fraudstream.dashboards.data.queries import Decision
from fraudstream.dashboards.ui import words
from fraudstream.dashboards.ui.accessibility import aria
from fraudstream.dashboards.ui.formats import NOTHING, Formats

TABLE_ID = "live-decisions-table"
_LONGEST_ENTITY = 60

GRID_THEME = """themeQuartz.withParams({
    backgroundColor: 'transparent', foregroundColor: 'var(--ink)', borderColor: 'var(--line)',
    headerBackgroundColor: 'transparent', headerTextColor: 'var(--muted)', headerFontWeight: 600,
    rowHoverColor: 'var(--hover)', oddRowBackgroundColor: 'transparent', accentColor: 'var(--accent)',
    wrapperBorder: false, fontFamily: 'inherit', fontSize: 13, headerFontSize: 12, spacing: 6, cellHorizontalPadding: 10
})"""

# These functions in assets/dashAgGridFunctions.js write numbers as the browser's locale does.
SCORE = {"function": "fixed(params.value, 3)"}
WHOLE = {"function": "fixed(params.value, 0)"}
MONEY = {"function": f"fixed(params.value, {words.decimals(AMOUNT)})"}

AMOUNT_TITLE = words.with_unit(words.field_label(AMOUNT), AMOUNT)
# As wide as its title at least.
AMOUNT_WIDTH = 28 + 8 * len(AMOUNT_TITLE)
# Integers are as wide as they were when all ids were; texts may be UUIDs.
HAS_TEXT_IDS = RULES[ID].kind == "text"
_ID_WIDTH = 180 if HAS_TEXT_IDS else 98
# What an integer's id and two texts leave no room for, needs a table as wide as the page.
NEEDS_WIDTH = HAS_TEXT_IDS or bool(fields.SHOWN_ENTITIES)


def _optional_columns() -> list[dict[str, Any]]:
    """What tells transactions apart: their texts of few values, and who takes part."""
    columns: list[dict[str, Any]] = []
    if words.SUMMARY:
        columns.append({"field": "summary", "headerName": words.SUMMARY_TITLE, "width": 206})
    columns += [
        {"field": f"entity{number}", "headerName": words.field_label(name), "width": 140}
        for number, name in enumerate(fields.SHOWN_ENTITIES[:2])
    ]
    return columns


_COLUMNS: list[dict[str, Any]] = [
    {"field": "time", "headerName": "UTC", "width": 98},
    {"field": "decision", "headerName": "Decision", "width": 92, "cellClass": "decision"},
    {"field": "score", "headerName": "Score", "width": 64, "type": "rightAligned", "valueFormatter": SCORE},
    {
        "field": "amount",
        "headerName": AMOUNT_TITLE,
        "width": max(84, AMOUNT_WIDTH),
        "type": "rightAligned",
        "valueFormatter": MONEY,
    },
    {
        "field": "reasons",
        "headerName": "Reasons",
        "flex": 1,
        "minWidth": 120,
        "tooltipField": "contributions",
    },
    *_optional_columns(),
    {"field": "latency", "headerName": "ms", "width": 58, "type": "rightAligned", "valueFormatter": WHOLE},
    {
        "field": "transaction",
        "headerName": "Transaction",
        "width": _ID_WIDTH,
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
        **id_cells(decision.id),
        "time": forms.time(decision.enqueued_at.astimezone(UTC)),
        "decision": words.verdict(fraud=decision.fraud),
        "fraud": decision.fraud,
        "score": decision.score,
        "amount": as_double(features.get(AMOUNT)),
        "reasons": words.reasons_in_words(decision, forms),
        "contributions": words.reasons_in_figures(decision.reasons),
        "summary": words.summary(features),
        "latency": decision.latency_ms,
        **{f"entity{number}": entity(features.get(name)) for number, name in enumerate(fields.SHOWN_ENTITIES[:2])},
    }


def id_cells(id: Any) -> dict[str, str]:
    """An id as a cell shows it, and as it stands in an address."""
    return {"transaction": stored.text(id), "id": for_address(id if isinstance(id, str) else stored.text(id))}


def for_address(id: str) -> str:
    """An id in an address: whatever signs it has, half characters (surrogates) as `?`."""
    return quote(id, safe="", errors="replace")


def entity(value: Any) -> str:
    """Who takes part, as a cell shows it."""
    return NOTHING if value is None else stored.text(str(value), _LONGEST_ENTITY)
