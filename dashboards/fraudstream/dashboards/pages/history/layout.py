"""The history report's layout and controls; the address keeps what a reader has chosen."""

from __future__ import annotations

from datetime import UTC, datetime

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, dcc, html

from fraudstream.core.contract.rollups import AMOUNT_BIN, HOUR
from fraudstream.dashboards.data.buckets import VALUES
from fraudstream.dashboards.data.queries import month_starts
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
PANELS = {
    "month": Panel("history-month", "Month", _BAND, wide=6, height=300),
    HOUR: Panel("history-hour", "Hour of day, UTC", _BAND, wide=6, height=300),
    "day_of_week": Panel("history-weekday", "Day of week", _BAND, wide=6, height=300),
    AMOUNT_BIN: Panel("history-amount-bin", "Amount", _BAND, wide=6, height=300),
    "category_recipient": Panel("history-category", "Category", _BAND, wide=4, height=300),
    "transaction_method": Panel("history-method", "Method", _BAND, wide=5, height=300),
    "transaction_type": Panel("history-type", "Type", _BAND, wide=3, height=300),
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
                    {"value": f"{name},{value}", "label": words.long_label(name, value)} for value in VALUES[name]
                ],
            }
            for name in PANELS
        ],
        value=f"{drill.dimension},{drill.value}" if drill else None,
        searchable=True,
        clearable=True,
        size="xs",
        w=200,
        **aria(label="Show the transactions of"),
    )
    return html.Div(
        [origin, *pickers, choice, html.Div(_file_links("history"), className="files")], className="controls"
    )


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
