"""The live page's layout and controls; the address keeps what a reader has chosen."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html

from fraudstream.core.contract.rollups import EDGES
from fraudstream.dashboards.data import fields
from fraudstream.dashboards.data.window_view import FILTERED
from fraudstream.dashboards.pages.arrangement import bars, component, in_rows
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

# A panel's height, and that of one beside the table.
_HEIGHT, _TALL = 250, 372
# Two dimensions of so many values together have one panel.
_BARS_SHARED = 8


def _groups() -> list[tuple[str, ...]]:
    """The dimensions by panel: those whose bars lie share one where both have few values, but for the first of them."""
    grouped: list[tuple[str, ...]] = []
    lying = 0
    for name in FILTERED:
        before = grouped[-1] if grouped else ()
        can_share = len(before) == 1 and lying > 1 and _can_share(before[0]) and _can_share(name)
        if can_share and bars(before[0]) + bars(name) <= _BARS_SHARED:
            grouped[-1] = (*before, name)
        else:
            grouped.append((name,))
        lying += not words.is_ordered(name)
    return grouped


def _can_share(name: str) -> bool:
    # Yes and no mean nothing beside the values of another dimension.
    return not words.is_ordered(name) and not fields.is_boolean(name)


def _panel(group: tuple[str, ...], wide: int, height: int) -> Panel:
    labels = [words.DIMENSION_LABELS[name] for name in group]
    title = " and ".join([labels[0], *map(words.inside, labels[1:])])
    description = f"Transactions by {', then by '.join(map(words.inside, labels))}"
    return Panel(component("live-by", group[0]), title, description, wide=wide, height=height)


def _height(row: Iterable[tuple[str, ...]]) -> int:
    """Enough for the bars of a row's panels that lie."""
    lying = [sum(map(bars, group)) for group in row if not words.is_ordered(group[0])]
    return min(max(_HEIGHT, 70 + 20 * max(lying, default=0)), _TALL)


def _arranged() -> tuple[dict[str, tuple[str, ...]], tuple[Panel, ...], bool]:
    """Each panel's dimensions, the panels in their order, and whether the last one stands beside the table.

    The first dimension whose bars lie stands beside the minutes, the one of most upright bars beside the table if there
    is room, and the others between them: upright ones, then lying ones.
    """
    groups = _groups()
    upright = [group for group in groups if words.is_ordered(group[0])]
    lying = [group for group in groups if not words.is_ordered(group[0])]
    beside_minutes = lying[:1] or upright[:1]
    beside_table = [group for group in upright if group not in beside_minutes and not decisions.NEEDS_WIDTH]
    last = max(beside_table, key=lambda group: bars(group[0]), default=None)
    between = [group for group in (*upright, *lying) if group not in beside_minutes and group != last]
    top = _height(beside_minutes)
    places = [(group, 4, top) for group in beside_minutes]
    for row in in_rows(between):
        places += [(group, 12 // len(row), _height(row)) for group in row]
    places += [(last, 4, _TALL)] if last else []
    wide = 8 if beside_minutes else 12
    minutes = Panel("live-minutes", "Minute by minute", "Transactions a minute, UTC", wide=wide, height=top)
    panels_by_group = {group: _panel(group, columns, height) for group, columns, height in places}
    dimensions_of = {panel.id: group for group, panel in panels_by_group.items()}
    return dimensions_of, (minutes, *panels_by_group.values()), last is not None


DIMENSIONS_OF, PANELS, IS_BESIDE_TABLE = _arranged()
MINUTES = PANELS[0]
FILTERS = {name: f"Any {words.inside(words.DIMENSION_LABELS[name]).removesuffix(' of week')}" for name in FILTERED}
_STATE_NAMES = ("range", "paused", "table", "minute")


def filter_id(dimension: str) -> str:
    """The id of the control that filters by a dimension."""
    return component("live-filter", dimension)


def address_name(dimension: str) -> str:
    """What a dimension's filter is called in the address."""
    return f"by-{dimension}" if dimension in _STATE_NAMES or dimension.startswith("by-") else dimension


KEPT = (
    Kept("live-range", "value", "range", "1h"),
    Kept("live-paused", "data", "paused"),
    Kept("live-decisions-choice", "value", "table", "all"),
    *(Kept(filter_id(name), "value", address_name(name)) for name in FILTERS),
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
            # For assets/pages.js: the order of the filters.
            dcc.Store(id="live-dimensions", data=list(FILTERS)),
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
    selects = [_filter(address, name, placeholder) for name, placeholder in FILTERS.items()]
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


def _filter(address: Address, name: str, placeholder: str) -> dmc.MultiSelect | dmc.TagsInput:
    """A choice among a dimension's values; values that nobody listed can be typed."""
    chosen = [value for value in address.many(address_name(name)) if fields.is_value(name, value)]
    common: dict[str, Any] = {
        "id": filter_id(name),
        "value": chosen,
        "placeholder": placeholder,
        "size": "xs",
        "clearable": True,
        "className": "filter",
        "comboboxProps": {"shadow": "md"},
        **aria(label=f"Filter by {words.inside(words.DIMENSION_LABELS[name])}"),
    }
    if name in fields.OPEN:
        return dmc.TagsInput(data=list(dict.fromkeys(fields.VALUES[name])), splitChars=["\n"], limit=200, **common)
    data = [{"value": value, "label": _option(name, value)} for value in fields.VALUES[name]]
    return dmc.MultiSelect(data=data, searchable=True, hidePickedOptions=False, **common)


def _option(name: str, value: str) -> str:
    # A bin's label on its axis is its lower edge alone.
    if name in EDGES:
        return value if value.endswith("+") else words.long_label(name, value).removeprefix("amounts ")
    return words.label(name, value)


def _table(address: Address) -> dmc.GridCol:
    table = address.one("table", ("all", "frauds"), "all")
    shown = segments("live-decisions-choice", table, {"all": "All", "frauds": "Frauds"}, "Decisions shown")
    return panels.frame(
        TABLE_PANEL_ID,
        "Newest decisions",
        decisions.caption(()),
        decisions.decisions_table(),
        wide=12 - IS_BESIDE_TABLE * 4,
        actions=shown,
    )


def register(app: Dash) -> None:
    """Register the controls' callbacks that run in the browser (assets/pages.js)."""
    values = [Input(filter_id(name), "value") for name in FILTERS]
    remember(app, KEPT)
    app.clientside_callback(  # type: ignore[no-untyped-call]
        ClientsideFunction("live", "filter"),
        *(Output(panel.figure_id, "clickData") for panel in PANELS),
        *(Output(filter_id(name), "value") for name in FILTERS),
        Output("live-minute", "data"),
        *(Input(panel.figure_id, "clickData") for panel in PANELS),
        Input("live-clear", "n_clicks"),
        Input("live-minute-clear", "n_clicks"),
        *(State(filter_id(name), "value") for name in FILTERS),
        State("live-minute", "data"),
        State("live-dimensions", "data"),
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
