"""The pages' figures: pure functions from tallies to Plotly; what depends on the scheme is in its template."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import plotly.graph_objects as go

from fraudstream.core.rollups import AMOUNT_BIN, HOUR
from fraudstream.dashboards import words
from fraudstream.dashboards.measures import share, wilson_band
from fraudstream.dashboards.queries import MINUTE, Tallies, Tally
from fraudstream.dashboards.theme import COUNTS, FRAUD, RATE, RATE_BAND

_BAR_CORNER = 3
# Neighbouring values of these dimensions are neighbours in truth, so that a line between them means something.
_ORDERED = ("month", "day_of_week", HOUR, AMOUNT_BIN)


def blank() -> go.Figure:
    """What a panel holds before its data; the axes stay hidden so that nothing looks measured."""
    return go.Figure(layout={"template": {}, "xaxis": {"visible": False}, "yaxis": {"visible": False}})


def ordered_values(dimension: str, tallies: Mapping[str, Tally]) -> list[str]:
    """The dimension's values in drawing order; unforeseen ones come last, so that the bars add up to the total."""
    known = words.VALUES[dimension]
    return [*known, *sorted(set(tallies) - set(known))]


def shares(dimensions: Mapping[str, Tallies], *, horizontal: bool = False) -> go.Figure:
    """Transactions by value as stacked bars, frauds at the baseline, each bar labelled with its fraud share.

    Several dimensions share the axis one after the other.
    """
    rows = [
        (words.label(dimension, value), words.long_label(dimension, value), tallies.get(value, Tally()))
        for dimension, tallies in dimensions.items()
        for value in ordered_values(dimension, tallies)
    ]
    labels = [label for label, _, _ in rows]
    counted = [tally for _, _, tally in rows]
    digits = 1 if horizontal or len(rows) <= 7 else 0
    hover = [_share_hover(title, tally) for _, title, tally in rows]
    rates = [words.percent(share(tally.frauds, tally.transactions), digits) for tally in counted]
    figure = go.Figure(layout={"template": {}})
    series = (
        ("Fraud", [tally.frauds for tally in counted], None),
        ("Legitimate", [tally.legitimate for tally in counted], rates),
    )
    for name, lengths, texts in series:
        figure.add_bar(
            name=name,
            orientation="h" if horizontal else "v",
            x=lengths if horizontal else labels,
            y=labels if horizontal else lengths,
            marker={"line": {"width": 0}, "cornerradius": _BAR_CORNER},
            text=texts,
            textposition="outside" if texts else "none",
            textfont={"size": 11},
            constraintext="none",
            cliponaxis=False,
            hovertext=hover,
            hoverinfo="text",
        )
    longest = max((tally.transactions for tally in counted), default=0) or 1
    values = {"range": [0, longest * (1.18 if horizontal else 1.12)], "tickformat": "~s"}
    names: dict[str, Any] = {"type": "category", "dtick": 1, "ticklabelstandoff": 5 if horizontal else 0}
    if horizontal:
        figure.update_layout(xaxis=values | {"showgrid": True, "nticks": 4}, yaxis=names | {"autorange": "reversed"})
    else:
        names["title"] = {"text": "amount from"} if AMOUNT_BIN in dimensions else {}
        figure.update_layout(xaxis=names, yaxis=values | {"showgrid": True})
    return figure.update_layout(barmode="stack", bargap=0.38 if horizontal else 0.28, uirevision="shares")


def minutes(starts: Sequence[datetime], tallies: Mapping[datetime, Tally]) -> go.Figure:
    """Transactions a minute as stacked bars, frauds at the baseline; the running minute is paler."""
    counted = [tallies.get(start, Tally()) for start in starts]
    opacity = [1.0] * (len(starts) - 1) + [0.5]
    hover = [
        _share_hover(f"{start:%H:%M} UTC", tally) + ("<br><i>still running</i>" if start == starts[-1] else "")
        for start, tally in zip(starts, counted, strict=True)
    ]
    figure = go.Figure(layout={"template": {}})
    series = (
        ("Fraud", [tally.frauds for tally in counted]),
        ("Legitimate", [tally.legitimate for tally in counted]),
    )
    for name, heights in series:
        figure.add_bar(
            name=name,
            x=list(starts),
            y=heights,
            marker={"opacity": opacity, "line": {"width": 0}, "cornerradius": 2},
            hovertext=hover,
            hoverinfo="text",
        )
    return figure.update_layout(
        barmode="stack",
        bargap=0.22,
        uirevision="minutes",
        xaxis={
            "type": "date",
            "range": [starts[0] - MINUTE / 2, starts[-1] + MINUTE / 2],
            "tickformat": "%H:%M",
            "nticks": 8,
        },
        yaxis={"title": {"text": "transactions a minute"}, "rangemode": "tozero", "tickformat": "~s", "showgrid": True},
    )


def rates(dimension: str, tallies: Tallies) -> go.Figure:
    """The fraud rate by value with its 95 % Wilson band above the counts, and the overall rate as a dotted line."""
    values = ordered_values(dimension, tallies)
    labels = [words.label(dimension, value) for value in values]
    counted = [tallies.get(value, Tally()) for value in values]
    figure = go.Figure(layout={"template": {}})
    measured = [
        (label, words.long_label(dimension, value), tally, band)
        for value, label, tally in zip(values, labels, counted, strict=True)
        if (band := wilson_band(tally.frauds, tally.transactions)) is not None
    ]
    _add_rates(figure, measured, joined=dimension in _ORDERED)
    figure.add_bar(
        name="Transactions",
        x=labels,
        y=[tally.transactions for tally in counted],
        yaxis="y2",
        marker={"color": COUNTS, "line": {"width": 0}, "cornerradius": 2},
        hovertext=[
            _share_hover(words.long_label(dimension, value), tally)
            for value, tally in zip(values, counted, strict=True)
        ],
        hoverinfo="text",
    )
    everything = sum(counted, Tally())
    overall = share(everything.frauds, everything.transactions)
    if overall is not None:
        figure.add_hline(y=100 * overall, line={"color": FRAUD, "width": 1.2, "dash": "dot"}, opacity=0.8)
    return figure.update_layout(
        xaxis={
            "type": "category",
            "categoryorder": "array",
            "categoryarray": labels,
            "anchor": "y2",
            "title": {"text": "amount from"} if dimension == AMOUNT_BIN else {},
        },
        yaxis={
            "domain": [0.36, 1],
            "ticksuffix": f"{words.NBSP}%",
            "rangemode": "tozero",
            "showgrid": True,
            "title": {"text": "fraud rate"},
        },
        yaxis2={"domain": [0, 0.26], "nticks": 3, "tickformat": "~s", "title": {"text": "count"}},
        uirevision="rates",
    )


def _add_rates(
    figure: go.Figure, measured: Sequence[tuple[str, str, Tally, tuple[float, float]]], *, joined: bool
) -> None:
    names = [name for name, _, _, _ in measured]
    percents = [100 * tally.frauds / tally.transactions for _, _, tally, _ in measured]
    lows = [100 * low for _, _, _, (low, _) in measured]
    highs = [100 * high for _, _, _, (_, high) in measured]
    hover = [f"{_share_hover(title, tally)}<br>{_band_text(band)}" for _, title, tally, band in measured]
    bars: dict[str, Any] | None = None
    if joined:
        outline = {"mode": "lines", "line": {"width": 0, "shape": "spline", "smoothing": 0.4}, "hoverinfo": "skip"}
        figure.add_scatter(name="95 % low", x=names, y=lows, **outline)
        figure.add_scatter(name="95 % high", x=names, y=highs, fill="tonexty", fillcolor=RATE_BAND, **outline)
    else:
        bars = {
            "type": "data",
            "array": [high - rate for high, rate in zip(highs, percents, strict=True)],
            "arrayminus": [rate - low for low, rate in zip(lows, percents, strict=True)],
            "color": RATE,
            "thickness": 1.6,
            "width": 5,
        }
    figure.add_scatter(
        name="Fraud rate",
        x=names,
        y=percents,
        mode="lines+markers" if joined else "markers",
        line={"color": RATE, "width": 2, "shape": "spline", "smoothing": 0.4},
        marker={"size": 7 if joined else 9, "color": RATE},
        error_y=bars,
        hovertext=hover,
        hoverinfo="text",
    )


def highest_share(dimension: str, tallies: Tallies, least: int = 30) -> str:
    """The value with the highest fraud share, in words, among those with enough transactions to tell."""
    ranked = _ranked((value, tally) for value, tally in tallies.items() if tally.transactions >= least)
    if not ranked:
        return ""
    rate, value = ranked[-1]
    return f"Highest share: {words.long_label(dimension, value)}, {words.percent(rate)}"


def _ranked(items: Iterable[tuple[str, Tally]]) -> list[tuple[float, str]]:
    return sorted((tally.frauds / tally.transactions, value) for value, tally in items)


def _share_hover(title: str, tally: Tally) -> str:
    rate = words.percent(share(tally.frauds, tally.transactions))
    return (
        f"<b>{title}</b><br>{words.count(tally.transactions)} transactions"
        f"<br>{words.count(tally.frauds)} frauds ({rate})<br>{words.money(tally.fraud_amount)} fraud amount"
    )


def _band_text(band: tuple[float, float]) -> str:
    low, high = band
    return f"95{words.NBSP}% between {words.percent(low)} and {words.percent(high)}"
