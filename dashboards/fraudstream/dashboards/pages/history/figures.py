"""Fraud rates with their uncertainty, by value and by day: pure functions from tallies to Plotly's JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from fraudstream.dashboards.data.buckets import Tallies, Tally
from fraudstream.dashboards.data.measures import share, wilson_band
from fraudstream.dashboards.ui import words
from fraudstream.dashboards.ui.figures import ENGLISH, Bar, Figure, bar_texts, bars_of, figure, share_hover
from fraudstream.dashboards.ui.formats import Formats
from fraudstream.dashboards.ui.theme import COUNTS, FRAUD, RATE, RATE_BAND, SECOND, SECOND_BAND

_SPLINE = {"shape": "spline", "smoothing": 0.4}


def rates(dimension: str, tallies: Tallies, other: Tallies | None = None, forms: Formats = ENGLISH) -> Figure:
    """The fraud rate by value with its 95 % Wilson band above the counts, and the overall rate as a dotted line.

    ``other``: the tallies of a second period, which has its own colour and shape beside the first.
    """
    compared = other is not None
    # One bar for each value of either period, chosen by both together.
    both = {
        value: tallies.get(value, Tally()) + (other or {}).get(value, Tally()) for value in {**tallies, **(other or {})}
    }
    labels, titles = bar_texts(bars_of(dimension, both))
    data: list[Figure] = []
    periods = [("", tallies, (RATE, RATE_BAND, "circle", COUNTS))]
    if other is not None:
        periods = [
            ("A ", tallies, (RATE, RATE_BAND, "circle", RATE)),
            ("B ", other, (SECOND, SECOND_BAND, "diamond", SECOND)),
        ]
    for prefix, period_tallies, style in periods:
        bars = bars_of(dimension, period_tallies, ranked_by=both)
        named = list(zip(labels, [prefix + title for title in titles], bars, strict=True))
        data += _rate_traces(prefix, named, style, forms, joined=words.is_ordered(dimension), compared=compared)
    total = sum(tallies.values(), Tally())
    overall = share(total.frauds, total.transactions)
    shapes = [] if overall is None or compared else [_line_at(100 * overall)]
    layout = {
        "shapes": shapes,
        "barmode": "group",
        # Markers of two periods stand side by side, as their bars do; lines of both go through the same places.
        "scattermode": "group" if compared and not words.is_ordered(dimension) else "overlay",
        "scattergap": 0.5,
        "xaxis": {
            "type": "category",
            "categoryorder": "array",
            "categoryarray": labels,
            "anchor": "y2",
            "title": {"text": words.plotly_text(title)} if (title := words.axis_title((dimension,))) else {},
        },
        **_rate_and_count_axes(forms),
    }
    return figure(data, layout, "rates", forms)


def _rate_traces(
    prefix: str,
    named: Sequence[tuple[str, str, Bar]],
    style: tuple[str, str, str, str],
    forms: Formats,
    *,
    joined: bool,
    compared: bool,
) -> list[Figure]:
    """The traces of one period, from bars with their labels and titles."""
    colour, band_colour, symbol, count_colour = style
    measured = [
        (label, title, bar, band)
        for label, title, bar in named
        if (band := wilson_band(bar[2].frauds, bar[2].transactions)) is not None
    ]
    names = [label for label, _, _, _ in measured]
    percents = [100 * tally.frauds / tally.transactions for _, _, (_, _, tally), _ in measured]
    lows = [100 * low for _, _, _, (low, _) in measured]
    highs = [100 * high for _, _, _, (_, high) in measured]
    data: list[Figure] = []
    bars: Figure | None = None
    if joined:
        outline = {
            "type": "scatter",
            "mode": "lines",
            "line": {"width": 0, **_SPLINE},
            "hoverinfo": "skip",
            "x": names,
        }
        data.append(outline | {"name": f"{prefix}95 % low", "y": lows})
        data.append(outline | {"name": f"{prefix}95 % high", "y": highs, "fill": "tonexty", "fillcolor": band_colour})
    else:
        bars = {
            "type": "data",
            "array": [high - rate for high, rate in zip(highs, percents, strict=True)],
            "arrayminus": [rate - low for low, rate in zip(lows, percents, strict=True)],
            "color": colour,
            "thickness": 1.6,
            "width": 5,
        }

    hover = [f"{share_hover(title, bar[2], forms)}<br>{_band_text(band, forms)}" for _, title, bar, band in measured]
    data.append(
        {
            "type": "scatter",
            "name": f"{prefix}Fraud rate".strip(),
            "x": names,
            "y": percents,
            "mode": "lines+markers" if joined else "markers",
            "line": {"color": colour, "width": 2, **_SPLINE},
            "marker": {"size": 7 if joined else 9, "color": colour, "symbol": symbol},
            # Otherwise the axis would cut a marker at 0 in half.
            "cliponaxis": False,
            "error_y": bars,
            "hovertext": hover,
            "hoverinfo": "text",
            "customdata": [[dimension, value] for _, _, (dimension, value, _), _ in measured],
        }
    )
    data.append(
        {
            "type": "bar",
            "name": f"{prefix}Transactions".strip(),
            "x": [label for label, _, _ in named],
            "y": [tally.transactions for _, _, (_, _, tally) in named],
            "yaxis": "y2",
            "marker": {
                "color": count_colour,
                "opacity": 0.6 if compared else 1,
                "line": {"width": 0},
                "cornerradius": 2,
            },
            "hovertext": [share_hover(title, tally, forms) for _, title, (_, _, tally) in named],
            "hoverinfo": "text",
            "customdata": [[dimension, value] for _, _, (dimension, value, _) in named],
        }
    )
    return data


def trend(days: Mapping[datetime, Tally], forms: Formats = ENGLISH) -> Figure:
    """The fraud rate by day with its 95 % Wilson band, above the counts; days without transactions are gaps."""
    starts = _days_between(days)
    by_day = [days.get(day, Tally()) for day in starts]
    bands = [wilson_band(tally.frauds, tally.transactions) for tally in by_day]
    names = [f"{day:%Y-%m-%d}" for day in starts]
    percents = [None if (rate := share(tally.frauds, tally.transactions)) is None else 100 * rate for tally in by_day]
    outline = {"type": "scatter", "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "x": names}
    hover = [
        share_hover(forms.date(day), tally, forms) + (f"<br>{_band_text(band, forms)}" if band else "")
        for day, tally, band in zip(starts, by_day, bands, strict=True)
    ]
    data: list[Figure] = [
        outline | {"name": "95 % low", "y": [100 * band[0] if band else None for band in bands]},
        outline
        | {
            "name": "95 % high",
            "y": [100 * band[1] if band else None for band in bands],
            "fill": "tonexty",
            "fillcolor": RATE_BAND,
        },
        {
            "type": "scatter",
            "name": "Fraud rate",
            "x": names,
            "y": percents,
            # Few days also get markers: a single day between gaps has no line.
            "mode": "lines" if len(names) > 14 else "lines+markers",
            "line": {"color": RATE, "width": 1.6},
            "marker": {"size": 6, "color": RATE},
            "hovertext": hover,
            "hoverinfo": "text",
        },
        {
            "type": "bar",
            "name": "Transactions",
            "x": names,
            "y": [tally.transactions for tally in by_day],
            "yaxis": "y2",
            "marker": {"color": COUNTS, "line": {"width": 0}},
            "hovertext": hover,
            "hoverinfo": "text",
        },
    ]
    total = sum(by_day, Tally())
    overall = share(total.frauds, total.transactions)
    layout = {
        "shapes": [] if overall is None else [_line_at(100 * overall)],
        "bargap": 0.1,
        "xaxis": {"type": "date", "anchor": "y2", "tickformat": "%-d %b\n%Y", "nticks": 10},
        **_rate_and_count_axes(forms),
    }
    return figure(data, layout, "trend", forms)


def _rate_and_count_axes(forms: Formats) -> Figure:
    """The axis of the rates, above that of the counts."""
    return {
        "yaxis": {
            "domain": [0.36, 1],
            "tickprefix": forms.percent_before,
            "ticksuffix": forms.percent_after,
            "rangemode": "tozero",
            "showgrid": True,
            "title": {"text": "fraud rate"},
        },
        "yaxis2": {"domain": [0, 0.26], "nticks": 3, "tickformat": "~s", "title": {"text": "count"}},
    }


def _days_between(days: Mapping[datetime, Tally]) -> list[datetime]:
    if not days:
        return []
    first, last = min(days), max(days)
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def _line_at(height: float) -> Figure:
    place = {"xref": "x domain", "x0": 0, "x1": 1, "yref": "y", "y0": height, "y1": height}
    return {"type": "line", **place, "line": {"color": FRAUD, "width": 1.2, "dash": "dot"}, "opacity": 0.8}


def _band_text(band: tuple[float, float], forms: Formats) -> str:
    low, high = band
    return f"95% between {forms.percent(low)} and {forms.percent(high)}"
