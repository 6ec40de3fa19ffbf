"""The pages' figures: pure functions from tallies to Plotly's JSON; what depends on the scheme is in its template.

They are plain dictionaries: building Plotly's own objects would take most of a refresh's time, for checks that the
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
    """What a panel holds before its data; the axes stay hidden so that nothing looks measured."""
    return {"data": [], "layout": {"template": {}, "xaxis": {"visible": False}, "yaxis": {"visible": False}}}


def ordered_values(dimension: str, tallies: Mapping[str, Tally]) -> list[str]:
    """The dimension's values in drawing order; unforeseen ones come last, so that the bars add up to the total."""
    known = VALUES[dimension]
    return [*known, *sorted(set(tallies) - set(known))]


def shares(
    dimensions: Mapping[str, Tallies],
    *,
    horizontal: bool = False,
    chosen: Mapping[str, frozenset[str]] | None = None,
    forms: Formats = ENGLISH,
) -> Figure:
    """Transactions by value as stacked bars, frauds at the baseline, each bar labelled with its fraud share.

    Several dimensions share the axis one after the other. ``chosen``: the values that a reader filters by; the others
    of their dimension are dimmed. Each bar's ``customdata`` is its dimension and value.
    """
    rows = [
        (dimension, value, tallies.get(value, Tally()))
        for dimension, tallies in dimensions.items()
        for value in ordered_values(dimension, tallies)
    ]
    labels = [words.drawn(words.label(dimension, value)) for dimension, value, _ in rows]
    counted = [tally for _, _, tally in rows]
    digits = 1 if horizontal or len(rows) <= 7 else 0
    hover = [
        share_hover(words.drawn(words.long_label(dimension, value)), tally, forms) for dimension, value, tally in rows
    ]
    rates = [forms.percent(share(tally.frauds, tally.transactions), digits) for tally in counted]
    opacity = [_opacity((chosen or {}).get(dimension), value) for dimension, value, _ in rows]
    series = (
        ("Fraud", [tally.frauds for tally in counted], None),
        ("Legitimate", [tally.legitimate for tally in counted], rates),
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
    longest = max((tally.transactions for tally in counted), default=0) or 1
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
    """Transactions a minute as stacked bars, frauds at the baseline; the running minute is paler."""
    counted = [tallies.get(start, Tally()) for start in starts]
    names = [start.isoformat() for start in starts]
    opacity = [_opacity(chosen, name) for name in names]
    opacity[-1] *= 0.5
    hover = [
        share_hover(f"{forms.minute(start)} UTC", tally, forms)
        + ("<br><i>still running</i>" if start == starts[-1] else "")
        for start, tally in zip(starts, counted, strict=True)
    ]
    data = [
        {
            "type": "bar",
            "name": name,
            # Without a zone: the axis shows what it is given, and that is UTC.
            "x": [f"{start:%Y-%m-%d %H:%M}" for start in starts],
            "y": heights,
            "marker": {"opacity": opacity, "line": {"width": 0}, "cornerradius": 2},
            "hovertext": hover,
            "hoverinfo": "text",
            "customdata": [["minute", name] for name in names],
        }
        for name, heights in (
            ("Fraud", [tally.frauds for tally in counted]),
            ("Legitimate", [tally.legitimate for tally in counted]),
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
    """The value with the highest fraud share, in words, among those with enough transactions to tell."""
    ranked = _ranked((value, tally) for value, tally in tallies.items() if tally.transactions >= least)
    if not ranked:
        return ""
    rate, value = ranked[-1]
    return f"Highest share: {words.long_label(dimension, value)}, {forms.percent(rate)}"


def figure(data: list[Figure], layout: Figure, revision: str, forms: Formats) -> Figure:
    """Traces and layout as one figure; the same ``revision`` keeps what the reader did to it."""
    # An explicit, empty template keeps Plotly's own look out until the scheme's is put in.
    always = {"template": {}, "uirevision": revision, "separators": forms.separators}
    return {"data": data, "layout": layout | always}


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
