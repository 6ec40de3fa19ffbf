"""The history report: fraud rates of everything stored, with their uncertainty."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, dcc, html, no_update

from fraudstream.core.rollups import AMOUNT_BIN, HOUR, ORIGINS
from fraudstream.dashboards import figures, measures, panels, words
from fraudstream.dashboards.accessibility import aria
from fraudstream.dashboards.feed import Feed, View
from fraudstream.dashboards.panels import Card, Panel
from fraudstream.dashboards.queries import Snapshot, Tally
from fraudstream.dashboards.shell import SCHEME_ID, heading
from fraudstream.dashboards.theme import Scheme, scheme_of

PATH = "/history"
TITLE = "History"
EMPTY = "Nothing stored from this origin yet."
REFRESH_MS = 5000

CARDS = (
    Card("history-transactions", "Transactions", "stored"),
    Card("history-frauds", "Frauds", "among them", "fraud"),
    Card("history-rate", "Fraud rate", "95 % band", "fraud"),
    Card("history-amount", "Amount", "sum of all transactions"),
    Card("history-fraud-amount", "Fraud amount", "of the whole amount", "fraud"),
    Card("history-mean", "Mean fraud", "against a legitimate mean", "fraud"),
)
CARDS_ID = "history-cards"

_BAND = "Fraud rate with its 95 % Wilson band, and counts"
PANELS = {
    "month": Panel("history-month", "Month", _BAND, wide=6, height=300),
    HOUR: Panel("history-hour", "Hour of day, UTC", _BAND, wide=6, height=300),
    "day_of_week": Panel("history-weekday", "Day of week", _BAND, wide=6, height=300),
    AMOUNT_BIN: Panel("history-amount-bin", "Amount", _BAND, wide=6, height=300),
    "category_recipient": Panel("history-category", "Category", _BAND, wide=4, height=300),
    "transaction_method": Panel("history-method", "Method", _BAND, wide=5, height=300),
    "transaction_type": Panel("history-type", "Type", _BAND, wide=3, height=300),
}
CHOICES = {"all": ORIGINS, "history": ("history",), "live": ("live",)}


def layout() -> html.Div:
    """The page before its first data."""
    origin = dmc.SegmentedControl(
        id="history-origin",
        value="all",
        data=[
            {"label": "All", "value": "all"},
            {"label": "Labelled history", "value": "history"},
            {"label": "Live", "value": "live"},
        ],
        size="xs",
        **aria(label="Origin of the transactions"),
    )
    explanation = "Frauds are labels in the history and the model's decisions in live traffic"
    return html.Div(
        [
            heading("History report", explanation, dmc.Group([_legend(), origin], gap="md")),
            panels.cards_layout(CARDS_ID, CARDS),
            dmc.Grid([panel.layout() for panel in PANELS.values()], gutter="md"),
            dcc.Interval(id="history-tick", interval=REFRESH_MS),
        ],
        className="page",
    )


def _legend() -> html.Div:
    return html.Div(
        [
            html.Span([html.I(className="swatch swatch--rate"), "Fraud rate"], className="legend-item"),
            html.Span([html.I(className="swatch swatch--band"), "95 % band"], className="legend-item"),
            html.Span([html.I(className="swatch swatch--overall"), "Overall"], className="legend-item"),
        ],
        className="legend",
    )


def card_values(total: Tally) -> dict[str, str]:
    """Each card's number."""
    return {
        "history-transactions": words.count(total.transactions),
        "history-frauds": words.count(total.frauds),
        "history-rate": words.percent(measures.share(total.frauds, total.transactions), 2),
        "history-amount": words.count(total.amount),
        "history-fraud-amount": words.count(total.fraud_amount),
        "history-mean": _money_or_nothing(measures.share(total.fraud_amount, total.frauds)),
    }


def card_units(total: Tally) -> dict[str, str]:
    """The line below each card's number."""
    band = measures.wilson_band(total.frauds, total.transactions)
    legitimate = measures.share(total.amount - total.fraud_amount, total.legitimate)
    return {card.id: card.unit for card in CARDS} | {
        "history-rate": f"95{words.NBSP}%: {words.percent(band[0], 2)} to {words.percent(band[1], 2)}" if band else "",
        "history-fraud-amount": f"{words.percent(measures.share(total.fraud_amount, total.amount))} of the amount",
        "history-mean": f"legitimate: {_money_or_nothing(legitimate)}",
    }


def _money_or_nothing(number: float | None) -> str:
    return words.NOTHING if number is None else words.money(number)


def shown(view: View, choice: str, now: datetime, scheme: Scheme) -> dict[str, dict[str, Any]]:
    """Each figure panel's outputs, by panel id."""
    snapshot = view.snapshot or Snapshot(now)
    drawn: dict[str, dict[str, Any]] = {}
    for dimension, panel in PANELS.items():
        tallies = snapshot.tallies(dimension, CHOICES[choice])
        state = panels.state_of(view, sum(tally.transactions for tally in tallies.values()), EMPTY)
        highest = figures.highest_share(dimension, tallies).replace("share", "rate", 1)
        drawn[panel.id] = panel.show(state, figures.rates(dimension, tallies), scheme, highest)
    return drawn


def register(app: Dash, feed: Feed) -> None:
    """The page's callbacks."""

    @app.callback(
        output={
            "panels": {panel.id: panel.outputs() for panel in PANELS.values()},
            "cards": {card.id: Output(card.id, "children") for card in CARDS},
            "units": {card.id: Output(f"{card.id}-unit", "children") for card in CARDS},
            "cards_state": panels.state_outputs(CARDS_ID),
        },
        inputs={
            "_tick": Input("history-tick", "n_intervals"),
            "choice": Input("history-origin", "value"),
            "scheme": Input(SCHEME_ID, "data"),
        },
    )
    def refresh(_tick: int | None, choice: str, scheme: str | None) -> dict[str, Any]:
        return _refreshed(feed.look(), choice, scheme_of(scheme))


def _refreshed(view: View, choice: str, scheme: Scheme) -> dict[str, Any]:
    total = view.snapshot.total(CHOICES[choice]) if view.snapshot else Tally()
    unknown = {card.id: no_update for card in CARDS}
    return {
        "panels": shown(view, choice, datetime.now(UTC), scheme),
        "cards": card_values(total) if view.snapshot else unknown,
        "units": card_units(total) if view.snapshot else unknown,
        "cards_state": panels.show_state(panels.state_of(view, 1, "")),
    }
