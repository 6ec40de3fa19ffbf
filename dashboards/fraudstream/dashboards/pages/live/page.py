"""The live page: what the chain decides, as it decides."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from dash import Dash, Input, Output, State, ctx
from dash.exceptions import PreventUpdate

from fraudstream.core.contract.rollups import AMOUNT_BIN
from fraudstream.dashboards.data import measures
from fraudstream.dashboards.data.buckets import VALUES, Tallies, Tally
from fraudstream.dashboards.data.feed import View
from fraudstream.dashboards.data.queries import LiveSnapshot
from fraudstream.dashboards.data.sources import Sources
from fraudstream.dashboards.data.tail import TailView
from fraudstream.dashboards.pages.live import controls as live_controls
from fraudstream.dashboards.pages.live.controls import (
    CARDS,
    CARDS_ID,
    MINUTES,
    PANELS,
    PATH,
    TABLE_PANEL_ID,
    TITLE,
    layout,
)
from fraudstream.dashboards.pages.live.view import RANGE_WORDS, RANGES, Selection, Shown, shown
from fraudstream.dashboards.ui import decisions, figures, panels
from fraudstream.dashboards.ui.formats import BEYOND, Formats
from fraudstream.dashboards.ui.refresh import Refresh
from fraudstream.dashboards.ui.rendering import Rendered, request_formats, unchanged
from fraudstream.dashboards.ui.shell import SCHEME_ID
from fraudstream.dashboards.ui.theme import Scheme, scheme_of

__all__ = ["PATH", "TITLE", "layout", "register"]

# Decisions arrive many times a second: viewers of the same view share a count of this age.
COUNTED_SECONDS = 0.3
NOTHING_YET = "No transactions scored yet. They appear here as soon as the stream carries some."
NOTHING_THERE = "No transactions in this range and filter."
_DIMENSIONS_OF = {
    "live-category": ("category_recipient",),
    "live-weekday": ("day_of_week",),
    "live-amount": (AMOUNT_BIN,),
    "live-method": ("transaction_type", "transaction_method"),
    "live-month": ("month",),
}
_HORIZONTAL = ("live-category", "live-method")
_SOURCES = {
    "stream": "counted from the stream itself",
    "ring": "counted from the newest stored decisions",
    "totals": "the store job's totals, a few seconds old",
    "minutes": "the store job's minutes, a few seconds old",
}


def card_values(seen: Shown, forms: Formats) -> dict[str, str]:
    """Each card's number."""
    total = seen.total
    return {
        "live-transactions": forms.count(total.transactions),
        "live-frauds": forms.count(total.frauds),
        "live-share": forms.percent(measures.share(total.frauds, total.transactions), 2),
        "live-risk": forms.count(total.fraud_amount),
        "live-rate": "–" if seen.rate is None else forms.decimals(seen.rate, 1),
        "live-latency": forms.milliseconds(seen.latency_p95),
    }


def card_units(seen: Shown, chosen: Selection, forms: Formats) -> dict[str, str]:
    """The line below each card's number."""
    band = measures.wilson_band(seen.total.frauds, seen.total.transactions)
    summed = {} if math.isfinite(seen.total.fraud_amount) else {"live-risk": BEYOND}
    return (
        {card.id: card.unit for card in CARDS}
        | summed
        | {
            "live-transactions": "filtered" if chosen.filtered else RANGE_WORDS[chosen.range],
            "live-share": f"95%: {forms.percent(band[0])} to {forms.percent(band[1])}" if band else "of transactions",
        }
    )


def drawn(seen: Shown, chosen: Selection, scheme: Scheme, forms: Formats) -> dict[str, dict[str, Any]]:
    """Each figure panel's outputs, by panel id."""
    outputs: dict[str, dict[str, Any]] = {}
    empty = NOTHING_THERE if chosen.filtered or chosen.range != "all" else NOTHING_YET
    line = sum((tally for start, tally in seen.minutes.items() if start in seen.starts), Tally())
    state = panels.state_of(seen.problem, seen.read_at, line.transactions, empty, forms)
    by_minute = figures.blank()
    if seen.starts:
        minutes = chosen.filters.get("minute", frozenset())
        by_minute = figures.minutes(seen.starts, seen.minutes, chosen=minutes, forms=forms)
    outputs[MINUTES.id] = MINUTES.show(state, by_minute, scheme, _line_in_words(line, forms))
    for panel in PANELS:
        if panel.id not in _DIMENSIONS_OF:
            continue
        names = _DIMENSIONS_OF[panel.id]
        tallies = {name: seen.dimensions.get(name, {}) for name in names}
        state = panels.state_of(seen.problem, seen.read_at, _transactions(tallies), empty, forms)
        figure = figures.shares(tallies, horizontal=panel.id in _HORIZONTAL, chosen=chosen.filters, forms=forms)
        insight = figures.highest_share(names[-1], tallies[names[-1]], forms=forms)
        outputs[panel.id] = panel.show(state, figure, scheme, insight)
    return outputs


def coverage(seen: Shown, chosen: Selection, forms: Formats) -> str:
    """What the figures count and where they come from, in a line."""
    if seen.read_at is None:
        return "Every transaction as the model scores it"
    source = seen.source.removesuffix(", cut")
    if seen.cut and seen.since is not None and seen.since.year > 1970:
        number = forms.count(seen.total.transactions)
        return f"{number} decisions since {forms.clock(seen.since)}: as far back as single decisions are kept"
    start = RANGE_WORDS[chosen.range].capitalize()
    return f"{start} up to {forms.clock(seen.until)}, {_SOURCES[source]}"


def status(view: View[LiveSnapshot], tail: TailView, *, paused: bool) -> tuple[str, str, str]:
    """Whether the page moves: a word, its class and the reason."""
    if paused:
        return "Paused", "status-text status-text--paused", ""
    if view.problem:
        return "Store away", "status-text status-text--away", view.problem
    if tail.problem:
        return "Stream away", "status-text status-text--away", tail.problem
    return "Live", "status-text status-text--live", ""


def selection(values: dict[str, Any], minute: Any, span: Any, paused_at: Any, table: Any) -> Selection:
    """What a browser sent as a selection: what nobody offers is left out."""
    filters = {
        name: frozenset(str(value) for value in _list(chosen) if str(value) in VALUES[name])
        for name, chosen in values.items()
    }
    starts = frozenset(str(start) for start in _list(minute) if live_controls.is_minute(start))
    return Selection(
        range=str(span) if str(span) in RANGES else "1h",
        filters={name: chosen for name, chosen in {**filters, "minute": starts}.items() if chosen},
        paused_at=live_controls.moment(paused_at),
        frauds_only=table == "frauds",
    )


def _list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else []


def register(app: Dash, sources: Sources) -> Refresh:
    """The page's callbacks, but for the refresh that it returns."""
    live_controls.register(app)
    return Refresh(
        outputs={
            "panels": {panel.id: panel.outputs() for panel in PANELS},
            "cards": {card.id: Output(card.id, "children") for card in CARDS},
            "units": {card.id: Output(f"{card.id}-unit", "children") for card in CARDS},
            "cards_state": panels.state_outputs(CARDS_ID),
            "rows": Output(decisions.TABLE_ID, "rowData"),
            "table_state": panels.state_outputs(TABLE_PANEL_ID),
            "caption": Output(f"{TABLE_PANEL_ID}-insight", "children"),
            "coverage": Output("live-coverage", "children"),
            "status": Output("live-status", "children"),
            "status_class": Output("live-status", "className"),
            "status_title": Output("live-status", "title"),
            "seen": Output("live-seen", "data"),
            "moment": Output("live-moment", "data"),
        },
        inputs={
            "_tick": Input("live-tick", "n_intervals"),
            "values": {name: Input(f"live-filter-{name}", "value") for name in live_controls.FILTERS},
            "minute": Input("live-minute", "data"),
            "span": Input("live-range", "value"),
            "paused_at": Input("live-paused", "data"),
            "table": Input("live-decisions-choice", "value"),
            "scheme": Input(SCHEME_ID, "data"),
            "before": State("live-seen", "data"),
        },
        answer=_answer(sources),
        first="live-first",
    )


def _answer(sources: Sources) -> Callable[..., dict[str, Any]]:
    kept, counted = Rendered(), Rendered(seconds=COUNTED_SECONDS)

    def answer(  # noqa: PLR0913 - one argument for each input of the page
        _tick: int | None,
        values: dict[str, Any],
        minute: Any,
        span: Any,
        paused_at: Any,
        table: Any,
        scheme: str | None,
        before: str | None,
        patience_seconds: float = 1.0,
    ) -> dict[str, Any]:
        now = sources.now()
        forms = request_formats()
        chosen = selection(values, minute, span, paused_at, table)
        view, tail = sources.live.look(patience_seconds), sources.tail.look()
        # What two sources said within this time is counted once, whoever asks.
        known = (view.snapshot is None, view.problem, tail.caught_up, tail.problem, chosen_key(chosen))
        seen: Shown = counted.get(known, lambda: shown(view, tail, chosen, now))
        text = status(view, tail, paused=chosen.paused_at is not None)
        colours = scheme_of(scheme)
        key = (seen.version, chosen_key(chosen), colours, forms.locale, text, seen.starts[-1:], f"{seen.rate or 0:.1f}")
        mark = f"{hash(key):x}"
        if mark == before and ctx.triggered_id == "live-tick":
            raise PreventUpdate
        made: dict[str, Any] = kept.get(key, lambda: _rendered(seen, chosen, colours, forms))
        word, class_name, reason = text
        moment = str(live_controls.milliseconds(seen.until))
        return made | {
            "status": word,
            "status_class": class_name,
            "status_title": reason,
            "seen": mark,
            "moment": moment,
        }

    return answer


def chosen_key(chosen: Selection) -> tuple[Any, ...]:
    """The selection as a key."""
    filters = tuple(sorted((name, tuple(sorted(values))) for name, values in chosen.filters.items()))
    return (chosen.range, filters, chosen.paused_at, chosen.frauds_only)


def _rendered(seen: Shown, chosen: Selection, scheme: Scheme, forms: Formats) -> dict[str, Any]:
    rows = decisions.rows(seen.rows, forms)
    known = seen.read_at is not None
    empty = "No fraud among the newest decisions." if chosen.frauds_only else NOTHING_THERE
    outputs: dict[str, Any] = {
        "panels": drawn(seen, chosen, scheme, forms),
        "cards": card_values(seen, forms),
        "units": card_units(seen, chosen, forms),
        "cards_state": panels.show_state(panels.state_of(seen.problem, seen.read_at, 1, "", forms)),
        "rows": rows,
        "table_state": panels.show_state(panels.state_of(seen.problem, seen.read_at, len(rows), empty, forms)),
        "caption": decisions.caption(seen.rows),
        "coverage": coverage(seen, chosen, forms),
    }
    # Before the first data the cards keep their placeholders.
    return outputs if known else outputs | {name: unchanged(outputs[name]) for name in ("cards", "units", "rows")}


def _transactions(dimensions: dict[str, Tallies]) -> int:
    return sum(tally.transactions for tallies in dimensions.values() for tally in tallies.values())


def _line_in_words(line: Tally, forms: Formats) -> str:
    if not line.transactions:
        return ""
    share = forms.percent(measures.share(line.frauds, line.transactions))
    return f"{forms.count(line.transactions)} transactions, {share} frauds; times are UTC"
