"""The history report's layout and controls; the address keeps what a reader has chosen."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, dcc, html

from fraudstream.core.contract.event import PROJECT
from fraudstream.core.contract.rollups import AMOUNT_BIN, EVENT_DIMENSIONS, TIME_DIMENSIONS
from fraudstream.dashboards.data.fields import VALUES
from fraudstream.dashboards.data.queries import month_starts
from fraudstream.dashboards.pages.arrangement import bars, component, in_rows, widths
from fraudstream.dashboards.pages.history.view import CHOICES, drill_of, period
from fraudstream.dashboards.ui import decisions, panels, words
from fraudstream.dashboards.ui.accessibility import aria
from fraudstream.dashboards.ui.address import Address, Kept, remember
from fraudstream.dashboards.ui.choices import segments
from fraudstream.dashboards.ui.panels import Card, Panel
from fraudstream.dashboards.ui.refresh import first_question
from fraudstream.dashboards.ui.shell import heading
from fraudstream.dashboards.ui.stored_rows import ROW_COLUMNS

PATH = "/history"
TITLE = "History"
REFRESH_MS = 5_000
DRILL_ID = "history-drill"

CARDS = (
    Card("history-transactions", "Transactions", "stored"),
    Card("history-frauds", "Frauds", "among them", "fraud"),
    Card("history-rate", "Fraud rate", "95% band", "fraud"),
    Card("history-amount", "Amount", "sum of all transactions"),
    Card("history-fraud-amount", "Fraud amount", "of the whole amount", "fraud"),
    Card("history-mean", "Mean fraud", "against a legitimate mean", "fraud"),
)
CARDS_ID = "history-cards"

_BAND = "Fraud rate with its 95% Wilson band, and counts"
TREND = Panel("history-trend", "Day by day", _BAND, wide=12, height=260)
_HEIGHT = 300
# A dimension without an order is wide where it has more values.
_FEW_VALUES = 6
_LEAST_WIDTH = 3


def _dimensions() -> list[str]:
    """The dimensions in the report's order: those that the project wants first, then the others as it lists them."""
    named = (*EVENT_DIMENSIONS, *TIME_DIMENSIONS, AMOUNT_BIN)
    return list(dict.fromkeys((*PROJECT.definition.display.report, *named)))


def _rows_of_panels() -> list[list[tuple[str, int]]]:
    """The panels' dimensions with their widths, row by row: two wide ones in a row, then three of few values."""
    names = _dimensions()
    wide = [name for name in names if words.is_ordered(name) or bars(name) > _FEW_VALUES]
    few = [name for name in names if name not in wide]
    if len(wide) % 2 and few:
        wide.append(few.pop(0))
    rows = [[(name, 12 // len(row)) for name in row] for row in (wide[at : at + 2] for at in range(0, len(wide), 2))]
    for row in in_rows(few):
        weights = [bars(name) * max(len(words.label(name, value)) for value in VALUES[name]) for name in row]
        rows.append(list(zip(row, widths(weights, _LEAST_WIDTH), strict=True)))
    return rows


PANELS = {
    name: Panel(component("history-by", name), words.DIMENSION_LABELS[name], _BAND, wide=columns, height=_HEIGHT)
    for row in _rows_of_panels()
    for name, columns in row
}
KEPT = (
    Kept("history-origin", "value", "origin", "all"),
    Kept("history-period", "value", "period"),
    Kept("history-other", "value", "compare"),
    Kept(DRILL_ID, "data", "rows"),
)


def layout(search: str | None = None) -> html.Div:
    """The page before its first data, in the state that the address holds."""
    address = Address(search)
    explanation = "Frauds are labels in the history and the model's decisions in live traffic"
    drill = drill_of(address.many("rows"))
    return html.Div(
        [
            heading("History report", explanation, _legend()),
            _controls(address),
            panels.cards_layout(CARDS_ID, CARDS),
            _rows(),
            dmc.Grid([panel.layout() for panel in [TREND, *PANELS.values()]], gutter="md"),
            first_question("history-first"),
            dcc.Interval(id="history-tick", interval=REFRESH_MS),
            dcc.Store(id=DRILL_ID, data=[drill.dimension, drill.value] if drill else None),
            dcc.Store(id="history-seen"),
        ],
        className="page",
    )


def _controls(address: Address) -> html.Div:
    origin = segments(
        "history-origin",
        address.one("origin", CHOICES, "all"),
        {"all": "All", "history": "Labelled history", "live": "Live"},
        "Origin of the transactions",
    )
    months = month_starts(datetime.now(UTC))
    pickers = [
        dmc.MonthPickerInput(
            id=component,
            type="range",
            value=_months(address.many(name)),
            placeholder=placeholder,
            valueFormat="MMM YYYY",
            clearable=True,
            size="xs",
            w=214,
            minDate=f"{months[0]:%Y-%m-%d}",
            maxDate=f"{months[-1]:%Y-%m-%d}",
            **aria(label=label),
        )
        for component, name, placeholder, label in (
            ("history-period", "period", "Period: all time", "Period"),
            ("history-other", "compare", "Compare with …", "Period to compare with"),
        )
    ]
    drill = drill_of(address.many("rows"))
    choice = dmc.Select(
        id="history-drill-choice",
        placeholder="Show the rows of …",
        data=[
            {
                "group": words.DIMENSION_LABELS[name],
                "items": [
                    {"value": choice_of(name, value), "label": words.long_label(name, value)} for value in VALUES[name]
                ],
            }
            for name in PANELS
            if VALUES[name]
        ],
        value=choice_of(drill.dimension, drill.value) if drill else None,
        searchable=True,
        clearable=True,
        size="xs",
        w=200,
        **aria(label="Show the transactions of"),
    )
    return html.Div(
        [origin, *pickers, choice, html.Div(_file_links("history"), className="files")], className="controls"
    )


def choice_of(dimension: str, value: str) -> str:
    """A bar as the list of choices has it: as JSON, written as a browser writes it."""
    return json.dumps([dimension, value], ensure_ascii=False, separators=(",", ":"))


def _file_links(prefix: str) -> list[html.A]:
    return [
        html.A(text, id=f"{prefix}-{text.lower()}", className="button-link", href="", download="")
        for text in ("CSV", "Parquet")
    ]


def _months(values: list[str]) -> list[str | None]:
    chosen = period(values)
    return [None, None] if chosen is None else [f"{month:%Y-%m-%d}" for month in (chosen.first, chosen.last)]


def _legend() -> html.Div:
    items = (
        ("rate", "Fraud rate", ""),
        ("band", "95% band", ""),
        ("overall", "Overall", "legend-item--alone"),
        ("second", "Period B", "legend-item--compared"),
    )
    return html.Div(
        [
            html.Span([html.I(className=f"swatch swatch--{sign}"), text], className=f"legend-item {only}".strip())
            for sign, text, only in items
        ],
        id="history-legend",
        className="legend",
    )


def _rows() -> html.Div:
    close = dmc.ActionIcon(
        "✕", id="history-rows-close", variant="subtle", color="gray", size="md", **aria(label="Close the rows")
    )
    grid = decisions.grid(
        "history-rows", ROW_COLUMNS, height=320, row_id="params.data.id", label="Transactions behind the bar"
    )
    body = panels.frame(
        "history-rows-panel", "Transactions", "", grid, 12, actions=[*_file_links("history-rows"), close]
    )
    return html.Div(dmc.Grid([body], gutter="md"), id="history-rows-box", style={"display": "none"})


def register(app: Dash) -> None:
    """Register the controls' callbacks that run in the browser (assets/pages.js)."""
    remember(app, KEPT)
    graphs = [panel.figure_id for panel in PANELS.values()]
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("history", "drill"),
        *(Output(graph, "clickData") for graph in graphs),
        Output(DRILL_ID, "data"),
        Output("history-drill-choice", "value"),
        *(Input(graph, "clickData") for graph in graphs),
        Input("history-rows-close", "n_clicks"),
        Input("history-drill-choice", "value"),
        prevent_initial_call=True,
    )
