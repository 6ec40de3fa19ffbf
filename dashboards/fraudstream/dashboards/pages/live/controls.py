"""The live page's layout and controls; the address keeps what a reader has chosen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html

from fraudstream.core.contract.rollups import AMOUNT_BIN
from fraudstream.dashboards.data.buckets import VALUES
from fraudstream.dashboards.pages.live.view import RANGES
from fraudstream.dashboards.ui import decisions, panels, words
from fraudstream.dashboards.ui.accessibility import aria
from fraudstream.dashboards.ui.address import Address, Kept, remember
from fraudstream.dashboards.ui.choices import segments
from fraudstream.dashboards.ui.panels import Card, Panel
from fraudstream.dashboards.ui.refresh import first_question
from fraudstream.dashboards.ui.shell import heading

PATH = "/"
TITLE = "Live"
TICK_MS = 1_000

CARDS = (
    Card("live-transactions", "Transactions scored", "last hour"),
    Card("live-frauds", "Frauds", "decisions of the model", "fraud"),
    Card("live-share", "Fraud share", "of transactions", "fraud"),
    Card("live-risk", "Money at risk", "amount scored as fraud", "fraud"),
    Card("live-rate", "Events a second", "all traffic, mean of 30 s"),
    Card("live-latency", "Latency, p95", "from arrival to decision"),
)
CARDS_ID = "live-cards"
TABLE_PANEL_ID = "live-decisions"

MINUTES = Panel("live-minutes", "Minute by minute", "Transactions a minute, UTC", wide=8)
CATEGORY = Panel("live-category", "Category", "Transactions by recipient's category", wide=4)
WEEKDAY = Panel("live-weekday", "Day of week", "Transactions by day of week", wide=4)
AMOUNT = Panel("live-amount", "Amount", "Transactions by amount", wide=4)
METHOD = Panel("live-method", "Type and method", "Transactions by type, then by method", wide=4)
MONTH = Panel("live-month", "Month", "Transactions by month", wide=4, height=372)
PANELS = (MINUTES, CATEGORY, WEEKDAY, AMOUNT, METHOD, MONTH)

FILTERS = {
    "day_of_week": "Any day",
    "month": "Any month",
    "category_recipient": "Any category",
    "transaction_type": "Any type",
    "transaction_method": "Any method",
    AMOUNT_BIN: "Any amount",
}
KEPT = (
    Kept("live-range", "value", "range", "1h"),
    Kept("live-paused", "data", "paused"),
    Kept("live-decisions-choice", "value", "table", "all"),
    *(Kept(f"live-filter-{name}", "value", name) for name in FILTERS),
    Kept("live-minute", "data", "minute"),
)


def layout(search: str | None = None) -> html.Div:
    """The page before its first data, in the state that the address holds."""
    address = Address(search)
    paused = moment(address.text("paused"))
    minutes = [start for start in address.many("minute") if is_minute(start)]
    return html.Div(
        [
            heading("Live decisions", "Every transaction as the model scores it", _controls(address), "live-coverage"),
            _filters(address),
            panels.cards_layout(CARDS_ID, CARDS),
            dmc.Grid([*(panel.layout() for panel in PANELS), _table(address)], gutter="md"),
            first_question("live-first"),
            dcc.Interval(id="live-tick", interval=TICK_MS, disabled=paused is not None),
            # Never None: Dash's store would replace it as soon as it is shown, which would refresh the page once more.
            dcc.Store(id="live-paused", data=str(milliseconds(paused)) if paused else ""),
            dcc.Store(id="live-minute", data=minutes),
            dcc.Store(id="live-seen"),
            # The server's time of the figures: a pause keeps this time, as the browser's clock may be wrong.
            dcc.Store(id="live-moment"),
        ],
        className="page",
    )


def is_minute(start: Any) -> bool:
    """Whether this is the start of a minute in ISO 8601, UTC."""
    try:
        parsed = datetime.fromisoformat(str(start))
    except ValueError:
        return False
    return parsed.tzinfo is not None and parsed.second == parsed.microsecond == 0 and 2000 < parsed.year < 3000


def moment(milliseconds: Any) -> datetime | None:
    """Milliseconds since 1970 as a time (UTC); None for anything else."""
    try:
        parsed = datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
    except (TypeError, ValueError, OverflowError, OSError):
        return None
    return parsed if 2000 < parsed.year < 3000 else None


def milliseconds(time: datetime) -> int:
    """A time as whole milliseconds since 1970."""
    return round(time.timestamp() * 1000)


def _controls(address: Address) -> dmc.Group:
    time_range = segments(
        "live-range",
        address.one("range", RANGES, "1h"),
        {"5m": "5 min", "15m": "15 min", "1h": "1 h", "all": "All"},
        "Time range",
    )
    paused = moment(address.text("paused")) is not None
    pause = dmc.Button(
        "Resume" if paused else "Pause",
        id="live-pause",
        size="xs",
        variant="filled" if paused else "default",
        w=92,
    )
    status = html.Div(html.Span("", id="live-status", className="status-text"), className="status", role="status")
    return dmc.Group([panels.legend(), status, time_range, pause], gap="sm")


def _filters(address: Address) -> html.Details:
    selects = [
        dmc.MultiSelect(
            id=f"live-filter-{name}",
            data=[{"value": value, "label": words.label(name, value)} for value in VALUES[name]]
            if name != AMOUNT_BIN
            else [{"value": value, "label": value.replace("-", "–")} for value in VALUES[name]],
            value=address.many(name, VALUES[name]),
            placeholder=placeholder,
            size="xs",
            clearable=True,
            searchable=True,
            hidePickedOptions=False,
            className="filter",
            comboboxProps={"shadow": "md"},
            **aria(label=f"Filter by {words.DIMENSION_LABELS[name].lower()}"),
        )
        for name, placeholder in FILTERS.items()
    ]
    minute = dmc.Button("", id="live-minute-clear", size="xs", variant="light", className="filter-minute")
    clear = dmc.Button("Clear filters", id="live-clear", size="xs", variant="subtle", color="gray")
    body = html.Div(
        [html.Div(selects, className="filters-selects"), minute, clear],
        className="filters-body",
        id="live-filters-body",
    )
    return html.Details(
        [html.Summary([html.Span("Filters"), html.Span("", id="live-filters-count")]), body],
        id="live-filters",
        className="filters",
        open=True,
    )


def _table(address: Address) -> dmc.GridCol:
    table = address.one("table", ("all", "frauds"), "all")
    shown = segments("live-decisions-choice", table, {"all": "All", "frauds": "Frauds"}, "Decisions shown")
    return panels.frame(
        TABLE_PANEL_ID,
        "Newest decisions",
        decisions.caption(()),
        decisions.decisions_table(),
        wide=8,
        actions=shown,
    )


def register(app: Dash) -> None:
    """Register the controls' callbacks that run in the browser (assets/pages.js)."""
    values = [Input(f"live-filter-{name}", "value") for name in FILTERS]
    remember(app, KEPT)
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("live", "filter"),
        *(Output(panel.figure_id, "clickData") for panel in PANELS),
        *(Output(f"live-filter-{name}", "value") for name in FILTERS),
        Output("live-minute", "data"),
        *(Input(panel.figure_id, "clickData") for panel in PANELS),
        Input("live-clear", "n_clicks"),
        Input("live-minute-clear", "n_clicks"),
        *(State(f"live-filter-{name}", "value") for name in FILTERS),
        State("live-minute", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("live", "describe_filters"),
        Output("live-minute-clear", "children"),
        Output("live-minute-clear", "style"),
        Output("live-clear", "style"),
        Output("live-filters-count", "children"),
        Input("live-minute", "data"),
        *values,
    )
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("live", "pause"),
        Output("live-paused", "data"),
        Output("live-tick", "disabled"),
        Output("live-pause", "children"),
        Output("live-pause", "variant"),
        Input("live-pause", "n_clicks"),
        State("live-paused", "data"),
        State("live-moment", "data"),
        prevent_initial_call=True,
    )
