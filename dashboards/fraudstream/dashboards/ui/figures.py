"""The pages' figures: pure functions from tallies to Plotly's JSON. The colour scheme is only in a figure's template.

Figures are plain dictionaries. To build Plotly's own objects would take most of a refresh's time, for checks that the
tests make once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from fraudstream.core.contract.rollups import AMOUNT_BIN
from fraudstream.dashboards.data.buckets import VALUES, Tallies, Tally
from fraudstream.dashboards.data.measures import share
from fraudstream.dashboards.data.queries import MINUTE
from fraudstream.dashboards.ui import words
from fraudstream.dashboards.ui.formats import Formats, formats

Figure = dict[str, Any]

_BAR_CORNER = 3
_DIMMED = 0.28
ENGLISH = formats()


def blank() -> Figure:
    """A panel's figure before its data. The axes are hidden, so that it does not look like a measurement."""
    return {"data": [], "layout": {"template": {}, "xaxis": {"visible": False}, "yaxis": {"visible": False}}}


def ordered_values(dimension: str, tallies: Mapping[str, Tally]) -> list[str]:
    """The dimension's values in their order; unforeseen ones come last, so that the bars add up to the total."""
    foreseen = VALUES[dimension]
    return [*foreseen, *sorted(set(tallies) - set(foreseen))]


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
    rows = [
        (dimension, value, tallies.get(value, Tally()))
        for dimension, tallies in dimensions.items()
        for value in ordered_values(dimension, tallies)
    ]
    labels = [words.plotly_text(words.label(dimension, value)) for dimension, value, _ in rows]
    tallied = [tally for _, _, tally in rows]
    digits = 1 if horizontal or len(rows) <= 7 else 0
    titles = [words.plotly_text(words.long_label(dimension, value)) for dimension, value, _ in rows]
    hover = [share_hover(title, tally, forms) for title, tally in zip(titles, tallied, strict=True)]
    rates = [forms.percent(share(tally.frauds, tally.transactions), digits) for tally in tallied]
    opacity = [_opacity((chosen or {}).get(dimension), value) for dimension, value, _ in rows]
    series = (
        ("Fraud", [tally.frauds for tally in tallied], None),
        ("Legitimate", [tally.legitimate for tally in tallied], rates),
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
        names["title"] = {"text": "amount from"} if AMOUNT_BIN in dimensions else {}
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
            "customdata": [["minute", name] for name in names],
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
    return f"Highest share: {words.long_label(dimension, value)}, {forms.percent(rate)}"


def figure(data: list[Figure], layout: Figure, revision: str, forms: Formats) -> Figure:
    """Traces and layout as one figure. While ``revision`` stays the same, a reader's zoom and choices stay too."""
    # An explicit, empty template avoids Plotly's default style until the scheme's template is set.
    common = {"template": {}, "uirevision": revision, "separators": forms.separators}
    return {"data": data, "layout": layout | common}


def _opacity(chosen: frozenset[str] | None, value: str) -> float:
    return _DIMMED if chosen and value not in chosen else 1.0


def _ranked(items: Iterable[tuple[str, Tally]]) -> list[tuple[float, str]]:
    return sorted((tally.frauds / tally.transactions, value) for value, tally in items)


def share_hover(title: str, tally: Tally, forms: Formats) -> str:
    """A tally in words, under its title."""
    rate = forms.percent(share(tally.frauds, tally.transactions))
    return (
        f"<b>{title}</b><br>{forms.count(tally.transactions)} transactions"
        f"<br>{forms.count(tally.frauds)} frauds ({rate})<br>{forms.total(tally.fraud_amount)} fraud amount"
    )
