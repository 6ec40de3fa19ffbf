"""The live page: the model's decisions as they are made."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from dash import Dash, Input, Output, State, ctx
from dash.exceptions import PreventUpdate

from fraudstream.dashboards.data import fields, measures
from fraudstream.dashboards.data.buckets import Tallies, Tally
from fraudstream.dashboards.data.feed import View
from fraudstream.dashboards.data.queries import LiveSnapshot
from fraudstream.dashboards.data.sources import Sources
from fraudstream.dashboards.data.tail import TailView
from fraudstream.dashboards.data.window_view import MINUTE
from fraudstream.dashboards.pages.live import controls as live_controls
from fraudstream.dashboards.pages.live.controls import (
    CARDS,
    CARDS_ID,
    DIMENSIONS_OF,
    MINUTES,
    PANELS,
    PATH,
    TABLE_PANEL_ID,
    TITLE,
    layout,
)
from fraudstream.dashboards.pages.live.view import RANGE_WORDS, RANGES, Content, Selection, content_of
from fraudstream.dashboards.ui import decisions, figures, panels, words
from fraudstream.dashboards.ui.formats import BEYOND, Formats
from fraudstream.dashboards.ui.refresh import Refresh
from fraudstream.dashboards.ui.rendering import Rendered, request_formats, unchanged
from fraudstream.dashboards.ui.theme import Scheme, scheme_of

__all__ = ["PATH", "TITLE", "layout", "register"]

# Decisions arrive many times a second: viewers of the same view share a count that is at most this old.
COUNTED_SECONDS = 0.3
NOTHING_YET = "No transactions scored yet. They appear here as soon as the stream carries some."
NOTHING_THERE = "No transactions in this range and filter."
_SOURCES = {
    "stream": "counted from the stream itself",
    "ring": "counted from the newest stored decisions",
    "totals": "the store job's totals, a few seconds old",
    "minutes": "the store job's minutes, a few seconds old",
}


def card_values(content: Content, forms: Formats) -> dict[str, str]:
    """Each card's number."""
    total = content.total
    return {
        "live-transactions": forms.count(total.transactions),
        "live-frauds": forms.count(total.frauds),
        "live-share": forms.percent(measures.share(total.frauds, total.transactions), 2),
        "live-risk": words.money(total.fraud_amount, forms, 0),
        "live-rate": "–" if content.rate is None else forms.decimals(content.rate, 1),
        "live-latency": forms.milliseconds(content.latency_p95),
    }


def card_units(content: Content, selection: Selection, forms: Formats) -> dict[str, str]:
    """The line below each card's number."""
    band = measures.wilson_band(content.total.frauds, content.total.transactions)
    overflow = {} if math.isfinite(content.total.fraud_amount) else {"live-risk": BEYOND}
    return (
        {card.id: card.unit for card in CARDS}
        | overflow
        | {
            "live-transactions": "filtered" if selection.filtered else RANGE_WORDS[selection.range],
            "live-share": f"95%: {forms.percent(band[0])} to {forms.percent(band[1])}" if band else "of transactions",
        }
    )


def figure_outputs(content: Content, selection: Selection, scheme: Scheme, forms: Formats) -> dict[str, dict[str, Any]]:
    """The outputs of each panel with a figure, by the panel's id."""
    outputs: dict[str, dict[str, Any]] = {}
    empty = NOTHING_THERE if selection.filtered or selection.range != "all" else NOTHING_YET
    line = sum((tally for start, tally in content.minutes.items() if start in content.starts), Tally())
    state = panels.state_of(content.problem, content.read_at, line.transactions, empty, forms)
    by_minute = figures.blank()
    if content.starts:
        minutes = selection.filters.get(MINUTE, frozenset())
        by_minute = figures.minutes(content.starts, content.minutes, chosen=minutes, forms=forms)
    outputs[MINUTES.id] = MINUTES.show(state, by_minute, scheme, _line_in_words(line, forms))
    for panel in PANELS:
        if panel.id not in DIMENSIONS_OF:
            continue
        names = DIMENSIONS_OF[panel.id]
        tallies = {name: content.dimensions.get(name, {}) for name in names}
        state = panels.state_of(content.problem, content.read_at, _transactions(tallies), empty, forms)
        lies = not words.is_ordered(names[0])
        figure = figures.shares(tallies, horizontal=lies, chosen=selection.filters, forms=forms)
        insight = figures.highest_share(names[-1], tallies[names[-1]], forms=forms)
        outputs[panel.id] = panel.show(state, figure, scheme, insight)
    return outputs


def coverage(content: Content, selection: Selection, forms: Formats) -> str:
    """What the figures count, and from which source, in one line."""
    if content.read_at is None:
        return "Every transaction as the model scores it"
    if content.cut and content.since is not None and content.since.year > 1970:
        number = forms.count(content.total.transactions)
        return f"{number} decisions since {forms.clock(content.since)}: as far back as single decisions are kept"
    start = RANGE_WORDS[selection.range].capitalize()
    return f"{start} up to {forms.clock(content.until)}, {_SOURCES[content.source]}"


def status(view: View[LiveSnapshot], tail: TailView, *, paused: bool) -> tuple[str, str, str]:
    """Whether the page follows the stream: a word, its class and the reason."""
    if paused:
        return "Paused", "status-text status-text--paused", ""
    if view.problem:
        return "Store away", "status-text status-text--away", view.problem
    if tail.problem:
        return "Stream away", "status-text status-text--away", tail.problem
    return "Live", "status-text status-text--live", ""


def selection_from(values: dict[str, Any], minute: Any, span: Any, paused_at: Any, table: Any) -> Selection:
    """The selection that a browser sent, without values that no control offers."""
    filters = {
        name: frozenset(str(value) for value in _list(sent) if fields.is_value(name, str(value)))
        for name, sent in values.items()
    }
    starts = frozenset(str(start) for start in _list(minute) if live_controls.is_minute(start))
    return Selection(
        range=str(span) if str(span) in RANGES else "1h",
        filters={name: allowed for name, allowed in {**filters, MINUTE: starts}.items() if allowed},
        paused_at=live_controls.moment(paused_at),
        frauds_only=table == "frauds",
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def register(app: Dash, sources: Sources) -> Refresh:
    """Register the page's other callbacks; returns its refresh."""
    live_controls.register(app)
    return Refresh(
        "live",
        answer=_answer(sources),
        outputs=panels.headline_outputs(PANELS, CARDS, CARDS_ID)
        | {
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
            "values": {name: Input(live_controls.filter_id(name), "value") for name in live_controls.FILTERS},
            "minute": Input("live-minute", "data"),
            "span": Input("live-range", "value"),
            "paused_at": Input("live-paused", "data"),
            "table": Input("live-decisions-choice", "value"),
            "before": State("live-seen", "data"),
        },
    )


def _answer(sources: Sources) -> Callable[..., dict[str, Any]]:
    renderings, counts = Rendered(), Rendered(seconds=COUNTED_SECONDS)

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
        selection = selection_from(values, minute, span, paused_at, table)
        view, tail = sources.live.look(patience_seconds), sources.tail.look()
        # One count for all viewers of a selection, as long as both sources are in the same state.
        count_key = (view.snapshot is None, view.problem, tail.caught_up, tail.problem, selection_key(selection))
        content: Content = counts.get(count_key, lambda: content_of(view, tail, selection, now))
        state = status(view, tail, paused=selection.paused_at is not None)
        colours = scheme_of(scheme)
        key = (
            content.version,
            selection_key(selection),
            colours,
            forms.locale,
            state,
            content.starts[-1:],
            f"{content.rate or 0:.1f}",
        )
        mark = f"{hash(key):x}"
        if mark == before and ctx.triggered_id == "live-tick":
            raise PreventUpdate
        outputs: dict[str, Any] = renderings.get(key, lambda: _rendered(content, selection, colours, forms))
        word, class_name, reason = state
        return outputs | {
            "status": word,
            "status_class": class_name,
            "status_title": reason,
            "seen": mark,
            "moment": str(live_controls.milliseconds(content.until)),
        }

    return answer


def selection_key(selection: Selection) -> tuple[Any, ...]:
    """The selection as a key of renderings."""
    filters = tuple(sorted((name, tuple(sorted(values))) for name, values in selection.filters.items()))
    return (selection.range, filters, selection.paused_at, selection.frauds_only)


def _rendered(content: Content, selection: Selection, scheme: Scheme, forms: Formats) -> dict[str, Any]:
    rows = decisions.rows(content.rows, forms)
    empty = "No fraud among the newest decisions." if selection.frauds_only else NOTHING_THERE
    outputs: dict[str, Any] = {
        "panels": figure_outputs(content, selection, scheme, forms),
        "cards": card_values(content, forms),
        "units": card_units(content, selection, forms),
        "cards_state": panels.show_state(panels.state_of(content.problem, content.read_at, 1, "", forms)),
        "rows": rows,
        "table_state": panels.show_state(panels.state_of(content.problem, content.read_at, len(rows), empty, forms)),
        "caption": decisions.caption(content.rows),
        "coverage": coverage(content, selection, forms),
    }
    if content.read_at is not None:
        return outputs
    # Before the first data the cards keep their placeholders.
    return outputs | {name: unchanged(outputs[name]) for name in ("cards", "units", "rows")}


def _transactions(dimensions: dict[str, Tallies]) -> int:
    return sum(tally.transactions for tallies in dimensions.values() for tally in tallies.values())


def _line_in_words(line: Tally, forms: Formats) -> str:
    if not line.transactions:
        return ""
    share = forms.percent(measures.share(line.frauds, line.transactions))
    return f"{forms.count(line.transactions)} transactions, {share} frauds; times are UTC"
