"""The pages' figures: pure functions from tallies to Plotly's JSON. The colour scheme is only in a figure's template.

Figures are plain dictionaries. To build Plotly's own objects would take most of a refresh's time, for checks that the
tests make once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from fraudstream.core.output.text import printable
from fraudstream.dashboards.data.buckets import Tallies, Tally
from fraudstream.dashboards.data.fields import VALUES, whole_number
from fraudstream.dashboards.data.measures import share
from fraudstream.dashboards.data.queries import MINUTE
from fraudstream.dashboards.data.window_view import MINUTE as BY_MINUTE
from fraudstream.dashboards.ui import words
from fraudstream.dashboards.ui.formats import BEYOND, Formats, formats

Figure = dict[str, Any]

# A figure shows so many values; those of fewest transactions share one bar.
MOST_BARS = 14
MOST_ORDERED = 32
# Upright bars have room for their shares up to so many of them.
MOST_RATES = 16
_FEW_BARS = 7
_LONGEST_TOLD = 60
_BAR_CORNER = 3
_DIMMED = 0.28
# What stands at the bar of all values that have none of their own.
OTHERS = "Others"
ENGLISH = formats()


def blank() -> Figure:
    """A panel's figure before its data. The axes are hidden, so that it does not look like a measurement."""
    return {"data": [], "layout": {"template": {}, "xaxis": {"visible": False}, "yaxis": {"visible": False}}}


def ordered_values(dimension: str, tallies: Mapping[str, Tally]) -> list[str]:
    """The dimension's values in their order; unforeseen ones come last, so that the bars add up to the total."""
    foreseen = VALUES[dimension]
    return [*foreseen, *sorted(set(tallies) - set(foreseen), key=_by_number)]


def _by_number(value: str) -> tuple[int, str]:
    number = whole_number(value)
    return (0 if number is None else number, value)


Bar = tuple[str, str | None, Tally]  # a dimension, its value (None: all values without a bar), their tally


def bars_of(
    dimension: str,
    tallies: Mapping[str, Tally],
    chosen: Iterable[str] = (),
    ranked_by: Mapping[str, Tally] | None = None,
) -> list[Bar]:
    """The bars of a dimension in its order. Of many values those have a bar that have most transactions, and those
    that are chosen; the last bar is the sum of all others. ``ranked_by``: the tallies that tell which (default: these).
    """
    ranking = tallies if ranked_by is None else ranked_by
    values = ordered_values(dimension, {**ranking, **tallies})
    most = MOST_ORDERED if words.is_ordered(dimension) else MOST_BARS
    if len(values) > most:
        counted = sorted(values, key=lambda value: -ranking.get(value, Tally()).transactions)[: most - 1]
        kept = {*counted, *chosen}
        others = [value for value in values if value not in kept]
        # Values without transactions are left out before any other.
        shown = [
            value for value in values if value in kept and (value in tallies or value in ranking or value in chosen)
        ]
        if not words.is_ordered(dimension):
            shown.sort(key=lambda value: -ranking.get(value, Tally()).transactions)
        rest = sum((tallies[value] for value in others if value in tallies), Tally())
        bars: list[Bar] = [(dimension, value, tallies.get(value, Tally())) for value in shown]
        return [*bars, (dimension, None, rest)] if any(value in ranking for value in others) else bars
    return [(dimension, value, tallies.get(value, Tally())) for value in values]


def bar_texts(bars: Iterable[Bar]) -> tuple[list[str], list[str]]:
    """The bars' labels on their axis, and their names in a tooltip."""
    bars = list(bars)
    labels = words.axis_labels((dimension, OTHERS if value is None else value) for dimension, value, _ in bars)
    titles = [
        f"All other values of {words.plotly_text(words.inside(words.DIMENSION_LABELS[dimension]))}"
        if value is None
        else words.plotly_text(words.long_label(dimension, value))
        for dimension, value, _ in bars
    ]
    return labels, titles


def shares(
    dimensions: Mapping[str, Tallies],
    *,
    horizontal: bool = False,
    chosen: Mapping[str, frozenset[str]] | None = None,
    forms: Formats = ENGLISH,
) -> Figure:
    """Transactions by value as stacked bars with frauds at the baseline; each bar is labelled with its fraud share.

    Several dimensions follow each other on one axis. ``chosen`` are the values that a reader filters by: the other
    values of their dimension are dimmed. Each bar's ``customdata`` is its dimension and value.
    """
    picked = chosen or {}
    rows = [
        bar
        for dimension, tallies in dimensions.items()
        for bar in bars_of(dimension, tallies, picked.get(dimension, ()))
    ]
    labels, titles = bar_texts(rows)
    tallied = [tally for _, _, tally in rows]
    digits = 1 if horizontal or len(rows) <= _FEW_BARS else 0
    hover = [share_hover(title, tally, forms) for title, tally in zip(titles, tallied, strict=True)]
    rates = [forms.percent(share(tally.frauds, tally.transactions), digits) for tally in tallied]
    opacity = [_opacity(picked.get(dimension), value) for dimension, value, _ in rows]
    series = (
        ("Fraud", [tally.frauds for tally in tallied], None),
        (
            "Legitimate",
            [tally.legitimate for tally in tallied],
            rates if horizontal or len(rows) <= MOST_RATES else None,
        ),
    )
    data = [
        {
            "type": "bar",
            "name": name,
            "orientation": "h" if horizontal else "v",
            "x": lengths if horizontal else labels,
            "y": labels if horizontal else lengths,
            "marker": {"line": {"width": 0}, "cornerradius": _BAR_CORNER, "opacity": opacity},
            "text": texts,
            "textposition": "outside" if texts else "none",
            "textfont": {"size": 11},
            "constraintext": "none",
            "cliponaxis": False,
            "hovertext": hover,
            "hoverinfo": "text",
            "customdata": [[dimension, value] for dimension, value, _ in rows],
        }
        for name, lengths, texts in series
    ]
    longest = max((tally.transactions for tally in tallied), default=0) or 1
    lengths_axis = {"range": [0, longest * (1.18 if horizontal else 1.12)], "tickformat": "~s", "showgrid": True}
    names: Figure = {"type": "category", "dtick": 1, "ticklabelstandoff": 5 if horizontal else 0}
    if horizontal:
        axes = {"xaxis": lengths_axis | {"nticks": 4}, "yaxis": names | {"autorange": "reversed"}}
    else:
        title = words.axis_title(dimensions)
        names["title"] = {"text": words.plotly_text(title)} if title else {}
        axes = {"xaxis": names, "yaxis": lengths_axis}
    return figure(data, axes | {"barmode": "stack", "bargap": 0.38 if horizontal else 0.28}, "shares", forms)


def minutes(
    starts: Sequence[datetime],
    tallies: Mapping[datetime, Tally],
    *,
    chosen: frozenset[str] = frozenset(),
    forms: Formats = ENGLISH,
) -> Figure:
    """Transactions a minute as stacked bars with frauds at the baseline; the minute that still runs is paler."""
    by_minute = [tallies.get(start, Tally()) for start in starts]
    names = [start.isoformat() for start in starts]
    opacity = [_opacity(chosen, name) for name in names]
    opacity[-1] *= 0.5
    hover = [
        share_hover(f"{forms.minute(start)} UTC", tally, forms)
        + ("<br><i>still running</i>" if start == starts[-1] else "")
        for start, tally in zip(starts, by_minute, strict=True)
    ]
    data = [
        {
            "type": "bar",
            "name": name,
            # Written without a zone: the axis shows the time as it is, which is UTC.
            "x": [f"{start:%Y-%m-%d %H:%M}" for start in starts],
            "y": heights,
            "marker": {"opacity": opacity, "line": {"width": 0}, "cornerradius": 2},
            "hovertext": hover,
            "hoverinfo": "text",
            "customdata": [[BY_MINUTE, name] for name in names],
        }
        for name, heights in (
            ("Fraud", [tally.frauds for tally in by_minute]),
            ("Legitimate", [tally.legitimate for tally in by_minute]),
        )
    ]
    edges = (starts[0] - MINUTE / 2, starts[-1] + MINUTE / 2)
    layout = {
        "barmode": "stack",
        "bargap": 0.22,
        "xaxis": {
            "type": "date",
            "range": [f"{edge:%Y-%m-%d %H:%M:%S}" for edge in edges],
            "tickformat": "%H:%M",
            "nticks": 8,
        },
        "yaxis": {
            "title": {"text": "transactions a minute"},
            "rangemode": "tozero",
            "tickformat": "~s",
            "showgrid": True,
        },
    }
    return figure(data, layout, "minutes", forms)


def highest_share(dimension: str, tallies: Tallies, least: int = 30, forms: Formats = ENGLISH) -> str:
    """The value with the highest fraud share in words, among values with at least ``least`` transactions."""
    ranked = _ranked((value, tally) for value, tally in tallies.items() if tally.transactions >= least)
    if not ranked:
        return ""
    rate, value = ranked[-1]
    return f"Highest share: {printable(words.long_label(dimension, value), _LONGEST_TOLD)}, {forms.percent(rate)}"


def figure(data: list[Figure], layout: Figure, revision: str, forms: Formats) -> Figure:
    """Traces and layout as one figure. While ``revision`` stays the same, a reader's zoom and choices stay too."""
    # An explicit, empty template avoids Plotly's default style until the scheme's template is set.
    common = {"template": {}, "uirevision": revision, "separators": forms.separators}
    return {"data": data, "layout": layout | common}


def _opacity(chosen: frozenset[str] | None, value: str | None) -> float:
    return _DIMMED if chosen and value not in chosen else 1.0


def _ranked(items: Iterable[tuple[str, Tally]]) -> list[tuple[float, str]]:
    return sorted((tally.frauds / tally.transactions, value) for value, tally in items)


def share_hover(title: str, tally: Tally, forms: Formats) -> str:
    """A tally in words, under its title."""
    rate = forms.percent(share(tally.frauds, tally.transactions))
    lost = words.money(tally.fraud_amount, forms) if math.isfinite(tally.fraud_amount) else BEYOND
    return (
        f"<b>{title}</b><br>{forms.count(tally.transactions)} transactions"
        f"<br>{forms.count(tally.frauds)} frauds ({rate})<br>{lost} fraud amount"
    )
