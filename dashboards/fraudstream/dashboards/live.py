"""The live page: what the chain decides, as it decides."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update

from fraudstream.core.rollups import AMOUNT_BIN
from fraudstream.dashboards import decisions, figures, measures, panels, words
from fraudstream.dashboards.accessibility import aria
from fraudstream.dashboards.feed import Feed, View
from fraudstream.dashboards.panels import Card, Panel
from fraudstream.dashboards.queries import Snapshot, Tallies, Tally, minute_starts
from fraudstream.dashboards.shell import SCHEME_ID, heading
from fraudstream.dashboards.theme import Scheme, scheme_of

PATH = "/"
TITLE = "Live"
ORIGIN = ("live",)
EMPTY = "No transactions scored yet. They appear here as soon as the stream carries some."

CARDS = (
    Card("live-transactions", "Transactions scored", "since the start"),
    Card("live-frauds", "Frauds", "decisions of the model", "fraud"),
    Card("live-share", "Fraud share", "of transactions", "fraud"),
    Card("live-risk", "Money at risk", "amount scored as fraud", "fraud"),
    Card("live-rate", "Events a second", "mean of the last 30 s"),
    Card("live-latency", "Latency, p95", "from arrival to decision"),
)
CARDS_ID = "live-cards"
TABLE_PANEL_ID = "live-decisions"

MINUTES = Panel("live-minutes", "Last hour", "Transactions a minute, UTC", wide=8)
CATEGORY = Panel("live-category", "Category", "Transactions by recipient's category", wide=4)
WEEKDAY = Panel("live-weekday", "Day of week", "Transactions by day of week", wide=4)
AMOUNT = Panel("live-amount", "Amount", "Transactions by amount", wide=4)
METHOD = Panel("live-method", "Type and method", "Transactions by type, then by method", wide=4)
MONTH = Panel("live-month", "Month", "Transactions by month", wide=4, height=372)
PANELS = (MINUTES, CATEGORY, WEEKDAY, AMOUNT, METHOD, MONTH)


def layout() -> html.Div:
    """The page before its first data."""
    return html.Div(
        [
            heading("Live decisions", "Every transaction as the model scores it", _controls()),
            panels.cards_layout(CARDS_ID, CARDS),
            dmc.Grid([*(panel.layout() for panel in PANELS), _table()], gutter="md"),
            dcc.Interval(id="live-tick", interval=1000),
        ],
        className="page",
    )


def _controls() -> dmc.Group:
    interval = dmc.SegmentedControl(
        id="live-interval",
        value="1000",
        data=[{"label": f"{seconds} s", "value": str(1000 * seconds)} for seconds in (1, 2, 5)],
        size="xs",
        **aria(label="Refresh interval"),
    )
    pause = dmc.Button("Pause", id="live-pause", size="xs", variant="default", w=92)
    return dmc.Group([panels.legend(), html.Div(id="live-status", className="status"), interval, pause], gap="sm")


def _table() -> dmc.GridCol:
    choice = dmc.SegmentedControl(
        id="live-decisions-choice",
        value="all",
        data=[{"label": "All", "value": "all"}, {"label": "Frauds", "value": "frauds"}],
        size="xs",
        **aria(label="Decisions shown"),
    )
    return panels.frame(
        TABLE_PANEL_ID,
        "Newest decisions",
        decisions.caption(()),
        decisions.table(),
        wide=8,
        actions=choice,
    )


def card_values(snapshot: Snapshot) -> dict[str, str]:
    """Each card's text."""
    total = snapshot.total(ORIGIN)
    return {
        "live-transactions": words.count(total.transactions),
        "live-frauds": words.count(total.frauds),
        "live-share": words.percent(measures.share(total.frauds, total.transactions), 2),
        "live-risk": words.count(total.fraud_amount),
        "live-rate": f"{measures.events_per_second(snapshot.recent, snapshot.read_at):,.1f}",
        "live-latency": words.milliseconds(measures.latency_p95(snapshot.recent)),
    }


def shown(view: View, now: datetime, scheme: Scheme) -> dict[str, dict[str, Any]]:
    """Each figure panel's outputs, by panel id."""
    snapshot = view.snapshot or Snapshot(now)
    starts = minute_starts(snapshot.read_at)
    by_minute = figures.minutes(starts, snapshot.minutes)
    drawn: dict[str, dict[str, Any]] = {}
    hour = sum(snapshot.minutes.values(), Tally())
    quiet = "No transactions arrived in the last hour."
    drawn[MINUTES.id] = MINUTES.show(
        panels.state_of(view, hour.transactions, quiet), by_minute, scheme, _hour_in_words(hour)
    )
    for panel, dimensions, horizontal in (
        (CATEGORY, ("category_recipient",), True),
        (WEEKDAY, ("day_of_week",), False),
        (AMOUNT, (AMOUNT_BIN,), False),
        (METHOD, ("transaction_type", "transaction_method"), True),
        (MONTH, ("month",), False),
    ):
        tallies = {dimension: snapshot.tallies(dimension, ORIGIN) for dimension in dimensions}
        state = panels.state_of(view, _transactions(tallies), EMPTY)
        last = dimensions[-1]
        figure = figures.shares(tallies, horizontal=horizontal)
        drawn[panel.id] = panel.show(state, figure, scheme, figures.highest_share(last, tallies[last]))
    return drawn


def _transactions(dimensions: dict[str, Tallies]) -> int:
    return sum(tally.transactions for tallies in dimensions.values() for tally in tallies.values())


def _hour_in_words(hour: Tally) -> str:
    if not hour.transactions:
        return ""
    share = words.percent(measures.share(hour.frauds, hour.transactions))
    return f"{words.count(hour.transactions)} transactions, {share} frauds; times are UTC"


def status(view: View, *, paused: bool) -> html.Span:
    """Whether the page moves, in a word."""
    if paused:
        return html.Span("Paused", className="status-text status-text--paused")
    if view.problem:
        return html.Span("Store away", className="status-text status-text--away", title=view.problem)
    return html.Span("Live", className="status-text status-text--live")


def register(app: Dash, feed: Feed) -> None:
    """The page's callbacks."""

    @app.callback(
        output={
            "panels": {panel.id: panel.outputs() for panel in PANELS},
            "cards": {card.id: Output(card.id, "children") for card in CARDS},
            "cards_state": panels.state_outputs(CARDS_ID),
            "rows": Output(decisions.TABLE_ID, "rowData"),
            "table_state": panels.state_outputs(TABLE_PANEL_ID),
            "caption": Output(f"{TABLE_PANEL_ID}-insight", "children"),
            "status": Output("live-status", "children"),
        },
        inputs={
            "_tick": Input("live-tick", "n_intervals"),
            "choice": Input("live-decisions-choice", "value"),
            "scheme": Input(SCHEME_ID, "data"),
            "paused": Input("live-tick", "disabled"),
        },
    )
    def refresh(_tick: int | None, choice: str, scheme: str | None, paused: bool | None) -> dict[str, Any]:
        triggers = set(ctx.triggered_prop_ids)
        # A paused page keeps its data while it changes its colours.
        if paused and triggers == {f"{SCHEME_ID}.data"}:
            return _recoloured(scheme_of(scheme))
        view = feed.look()
        if triggers == {"live-tick.disabled"} and paused:
            return _nothing() | {"status": status(view, paused=True)}
        return _refreshed(view, choice, scheme_of(scheme), paused=bool(paused))

    @app.callback(
        Output("live-tick", "disabled"),
        Output("live-pause", "children"),
        Output("live-pause", "variant"),
        Input("live-pause", "n_clicks"),
        State("live-tick", "disabled"),
        prevent_initial_call=True,
    )
    def pause(_clicks: int, paused: bool | None) -> tuple[bool, str, str]:
        return (False, "Pause", "default") if paused else (True, "Resume", "filled")

    @app.callback(Output("live-tick", "interval"), Input("live-interval", "value"))
    def pace(milliseconds: str) -> int:
        return int(milliseconds)


def _refreshed(view: View, choice: str, scheme: Scheme, *, paused: bool) -> dict[str, Any]:
    now = datetime.now(UTC)
    snapshot = view.snapshot
    scored = snapshot.total(ORIGIN).transactions if snapshot else 0
    rows = decisions.rows(snapshot.recent if snapshot else (), frauds_only=choice == "frauds")
    empty = "No fraud among the newest decisions." if scored and choice == "frauds" else EMPTY
    return {
        "panels": shown(view, now, scheme),
        "cards": card_values(snapshot) if snapshot else {card.id: no_update for card in CARDS},
        "cards_state": panels.show_state(panels.state_of(view, 1, "")),
        "rows": rows,
        "table_state": panels.show_state(panels.state_of(view, len(rows), empty)),
        "caption": decisions.caption(snapshot.recent if snapshot else ()),
        "status": status(view, paused=paused),
    }


def _nothing() -> dict[str, Any]:
    return {
        "panels": {panel.id: dict.fromkeys(panel.outputs(), no_update) for panel in PANELS},
        "cards": {card.id: no_update for card in CARDS},
        "cards_state": dict.fromkeys(panels.state_outputs(CARDS_ID), no_update),
        "rows": no_update,
        "table_state": dict.fromkeys(panels.state_outputs(TABLE_PANEL_ID), no_update),
        "caption": no_update,
        "status": no_update,
    }


def _recoloured(scheme: Scheme) -> dict[str, Any]:
    outputs = _nothing()
    for panel in PANELS:
        outputs["panels"][panel.id]["figure"] = panel.recolour(scheme)
    return outputs
