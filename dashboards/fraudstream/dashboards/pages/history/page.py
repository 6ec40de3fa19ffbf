"""The history report: fraud rates of all stored transactions with their uncertainty, also of two periods compared."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update
from dash.exceptions import PreventUpdate

from fraudstream.core.output.text import printable
from fraudstream.dashboards.data import measures
from fraudstream.dashboards.data.buckets import Tally
from fraudstream.dashboards.data.feed import View
from fraudstream.dashboards.data.queries import HistorySnapshot
from fraudstream.dashboards.data.searches import ROW_PROJECTION, Rows
from fraudstream.dashboards.data.sources import Sources
from fraudstream.dashboards.pages.history import exports
from fraudstream.dashboards.pages.history import figures as rate_figures
from fraudstream.dashboards.pages.history import layout as history_layout
from fraudstream.dashboards.pages.history.layout import CARDS, CARDS_ID, DRILL_ID, PANELS, PATH, TITLE, TREND, layout
from fraudstream.dashboards.pages.history.view import Period, Report, drill_of, origin_of, period, report
from fraudstream.dashboards.ui import figures, panels, words
from fraudstream.dashboards.ui.errors_shown import answer_or_reason
from fraudstream.dashboards.ui.formats import BEYOND, Formats
from fraudstream.dashboards.ui.refresh import Refresh
from fraudstream.dashboards.ui.rendering import Rendered, request_formats, unchanged
from fraudstream.dashboards.ui.stored_rows import row
from fraudstream.dashboards.ui.theme import Scheme, scheme_of

__all__ = ["PATH", "TITLE", "layout", "register"]

_LONGEST_TITLE = 80
EMPTY = "Nothing stored from this origin and period yet."


def card_values(total: Tally, forms: Formats) -> dict[str, str]:
    """Each card's number."""
    return {
        "history-transactions": forms.count(total.transactions),
        "history-frauds": forms.count(total.frauds),
        "history-rate": forms.percent(measures.share(total.frauds, total.transactions), 2),
        "history-amount": words.money(total.amount, forms, 0),
        "history-fraud-amount": words.money(total.fraud_amount, forms, 0),
        "history-mean": words.money(measures.share(total.fraud_amount, total.frauds), forms),
    }


def card_units(total: Tally, forms: Formats, other: Tally | None = None) -> dict[str, str]:
    """The line below each card's number: its meaning, or the number of the other period."""
    if other is not None:
        rates = [measures.share(tally.frauds, tally.transactions) for tally in (total, other)]
        difference = None if rates[0] is None or rates[1] is None else rates[0] - rates[1]
        units = {name: f"B: {value}" for name, value in card_values(other, forms).items()}
        return units | {"history-rate": f"B: {forms.percent(rates[1], 2)} ({forms.points(difference)})"}
    band = measures.wilson_band(total.frauds, total.transactions)
    legitimate = measures.share(total.amount - total.fraud_amount, total.legitimate)
    share = measures.share(total.fraud_amount, total.amount)
    return {card.id: card.unit for card in CARDS} | {
        "history-amount": _unit("history-amount", total.amount),
        "history-rate": f"95%: {forms.percent(band[0], 2)} to {forms.percent(band[1], 2)}" if band else "",
        "history-fraud-amount": _unit("", total.fraud_amount) or f"{forms.percent(share)} of the amount",
        "history-mean": f"legitimate: {words.money(legitimate, forms)}",
    }


def _unit(card_id: str, amount: float) -> str:
    if not math.isfinite(amount):
        return BEYOND
    return next((card.unit for card in CARDS if card.id == card_id), "")


def figure_outputs(
    view: View[HistorySnapshot], first: Report, second: Report | None, scheme: Scheme, forms: Formats
) -> dict[str, dict[str, Any]]:
    """The outputs of each panel with a figure, by the panel's id."""
    read_at = view.snapshot.read_at if view.snapshot else None
    outputs: dict[str, dict[str, Any]] = {}
    for dimension, panel in PANELS.items():
        tallies = dict(first.dimensions.get(dimension, {}))
        other = dict(second.dimensions.get(dimension, {})) if second else None
        counted = sum(tally.transactions for part in (tallies, other or {}) for tally in part.values())
        state = panels.state_of(view.problem, read_at, counted, EMPTY, forms)
        highest = figures.highest_share(dimension, tallies, forms=forms).replace("share", "rate", 1)
        figure = rate_figures.rates(dimension, tallies, other, forms)
        outputs[panel.id] = panel.show(state, figure, scheme, highest)
    state = panels.state_of(view.problem, read_at, len(first.days), EMPTY, forms)
    outputs[TREND.id] = TREND.show(
        state, rate_figures.trend(first.days, forms), scheme, _days_in_words(first.days, forms)
    )
    return outputs


def _days_in_words(days: Mapping[datetime, Tally], forms: Formats) -> str:
    if not days:
        return ""
    return f"{forms.date(min(days))} to {forms.date(max(days))}, by the transaction's own date"


def register(app: Dash, sources: Sources) -> Refresh:
    """Register the page's other callbacks; returns its refresh."""
    history_layout.register(app)
    exports.register(app, sources)
    _register_rows(app, sources)
    return Refresh(
        "history",
        outputs=panels.headline_outputs([*PANELS.values(), TREND], CARDS, CARDS_ID)
        | {
            "legend": Output("history-legend", "className"),
            "csv": Output("history-csv", "href"),
            "parquet": Output("history-parquet", "href"),
            "seen": Output("history-seen", "data"),
        },
        inputs={
            "choice": Input("history-origin", "value"),
            "months": Input("history-period", "value"),
            "others": Input("history-other", "value"),
            "before": State("history-seen", "data"),
        },
        answer=_answer(sources),
    )


def _answer(sources: Sources) -> Callable[..., dict[str, Any]]:
    renderings = Rendered()

    def answer(
        _tick: int | None,
        choice: Any,
        months: Any,
        others: Any,
        scheme: str | None,
        before: str | None,
        patience_seconds: float = 1.0,
    ) -> dict[str, Any]:
        view, forms = sources.history.look(patience_seconds), request_formats()
        origin, chosen, other = origin_of(choice), period(months), period(others)
        colours = scheme_of(scheme)
        key = (_content(view), view.problem, origin, chosen, other, colours, forms.locale)
        mark = f"{hash(key):x}"
        if mark == before and ctx.triggered_id == "history-tick":
            raise PreventUpdate
        outputs: dict[str, Any] = renderings.get(key, lambda: _rendered(view, origin, chosen, other, colours, forms))
        return outputs | {"seen": mark}

    return answer


def _register_rows(app: Dash, sources: Sources) -> None:
    @app.callback(
        Output("history-rows", "rowData"),
        *panels.outputs("history-rows-panel", "title", "insight"),
        Output("history-rows-csv", "href"),
        Output("history-rows-parquet", "href"),
        Output("history-rows-box", "style"),
        Input(DRILL_ID, "data"),
        Input("history-origin", "value"),
        Input("history-period", "value"),
    )
    def drill_down(clicked: Any, choice: Any, months: Any) -> tuple[Any, ...]:
        drill = drill_of(clicked)
        if drill is None or not drill.is_known:
            return [], panels.State("empty").class_name, "", no_update, "", "", "", {"display": "none"}
        origin, chosen, forms = origin_of(choice), period(months), request_formats()
        wanted = drill.criteria(origin, chosen)
        result = answer_or_reason(lambda: sources.lookup.search(wanted, keeps=drill.keeps, projection=ROW_PROJECTION))
        title = f"Transactions: {printable(words.long_label(drill.dimension, drill.value), _LONGEST_TITLE)}"
        links = [exports.rows_link(form, origin, chosen, drill) for form in exports.FORMATS]
        if not isinstance(result, Rows):
            return [], panels.State("failed").class_name, result, title, "", *links, {}
        rows = [row(document, forms) for document in result.documents]
        state = panels.State("ready") if rows else panels.State("empty", "No stored transaction.")
        return rows, state.class_name, state.note, title, f"{len(rows)} rows. {result.note}", *links, {}


def _content(view: View[HistorySnapshot]) -> tuple[Any, ...]:
    """A key that changes with a snapshot's content: counts only grow, so the totals and sums show every change."""
    snapshot = view.snapshot
    if snapshot is None:
        return ()
    totals = tuple(report(snapshot, origin, None).total for origin in ("history", "live"))
    return (*totals, sum(len(days) for days in snapshot.days.values()), _months_counted(snapshot))


def _months_counted(snapshot: HistorySnapshot) -> int:
    return sum(
        tally.transactions
        for months in snapshot.months.values()
        for dimensions in months.values()
        for tallies in dimensions.values()
        for tally in tallies.values()
    )


def _rendered(
    view: View[HistorySnapshot],
    origin: str,
    chosen: Period | None,
    other: Period | None,
    scheme: Scheme,
    forms: Formats,
) -> dict[str, Any]:
    snapshot = view.snapshot
    first = report(snapshot, origin, chosen) if snapshot else Report({}, {})
    second = report(snapshot, origin, other) if snapshot and other else None
    state = panels.state_of(view.problem, snapshot.read_at if snapshot else None, 1, "", forms)
    outputs: dict[str, Any] = {
        "panels": figure_outputs(view, first, second, scheme, forms),
        "cards": card_values(first.total, forms),
        "units": card_units(first.total, forms, second.total if second else None),
        "cards_state": panels.show_state(state),
        "legend": "legend legend--compared" if second else "legend",
        "csv": exports.report_link("csv", origin, chosen),
        "parquet": exports.report_link("parquet", origin, chosen),
    }
    return outputs if snapshot else outputs | {name: unchanged(outputs[name]) for name in ("cards", "units")}
