"""Figures of the parts: rates, lags, latencies and rejected events, as pure functions to Plotly's JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from fraudstream.dashboards.data.parts.health import Sample
from fraudstream.dashboards.ui import words
from fraudstream.dashboards.ui.figures import ENGLISH, Figure, figure
from fraudstream.dashboards.ui.formats import Formats
from fraudstream.dashboards.ui.theme import FRAUD, RATE, SECOND

JOB_NAMES = {"stream": "Stream job", "store": "Store job"}
# The lines differ by dash as well as by colour.
_STYLES = {"stream": (RATE, "solid"), "store": (SECOND, "dash")}


def rates(samples: Sequence[Sample], forms: Formats = ENGLISH) -> Figure:
    """Records a second that each job finished."""
    lines = {job: [sample.rates.get(job) for sample in samples] for job in JOB_NAMES}
    return _lines(samples, lines, "records a second", "rates", forms)


def lags(samples: Sequence[Sample], forms: Formats = ENGLISH) -> Figure:
    """Records that wait for each job."""
    lines = {job: [sample.lags.get(job) for sample in samples] for job in JOB_NAMES}
    return _lines(samples, lines, "records waiting", "lags", forms)


def latencies(minutes: Mapping[datetime, tuple[float, ...]], forms: Formats = ENGLISH) -> Figure:
    """Median, 95th and 99th percentile of the latency by minute of arrival, in milliseconds."""
    starts = sorted(minutes)
    styles = (("p50", RATE, "solid"), ("p95", SECOND, "dash"), ("p99", FRAUD, "dot"))
    data = [
        {
            "type": "scatter",
            "name": name,
            "mode": "lines",
            "x": [f"{start:%Y-%m-%d %H:%M}" for start in starts],
            "y": [minutes[start][index] for start in starts],
            "line": {"color": colour, "width": 2, "dash": dash},
            "hovertemplate": f"%{{x|%H:%M}} UTC<br>{name} %{{y:,.0f}} ms<extra></extra>",
        }
        for index, (name, colour, dash) in enumerate(styles)
    ]
    axes: dict[str, Any] = {
        "xaxis": {"type": "date", "tickformat": "%H:%M", "nticks": 8, "ticklabelstandoff": 6},
        "yaxis": {"title": {"text": "ms"}, "rangemode": "tozero", "showgrid": True},
        "showlegend": True,
        "legend": {"orientation": "h", "y": 1.16, "x": 1, "xanchor": "right"},
    }
    return figure(data, axes, "latencies", forms)


def rejections(fields: Sequence[str], forms: Formats = ENGLISH) -> Figure:
    """The newest rejected events by the field that broke the contract."""
    most_common = Counter(fields).most_common(10)
    names = [words.plotly_text(name) for name, _ in most_common]
    numbers = [number for _, number in most_common]
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "x": numbers,
            "y": names,
            "marker": {"color": FRAUD, "line": {"width": 0}, "cornerradius": 3},
            "text": [forms.count(number) for number in numbers],
            "textposition": "outside",
            "cliponaxis": False,
            "hoverinfo": "skip",
        }
    ]
    layout = {
        "xaxis": {"range": [0, 1.18 * max(numbers, default=1)], "showgrid": True, "nticks": 4},
        # The axis has room for at least five bars: a single bar would fill the panel.
        "yaxis": {
            "type": "category",
            "dtick": 1,
            "range": [max(len(names), 5) - 0.5, -0.5],
            "ticklabelstandoff": 5,
        },
        "bargap": 0.38,
    }
    return figure(data, layout, "rejections", forms)


def _lines(
    samples: Sequence[Sample], lines: Mapping[str, Sequence[float | None]], title: str, revision: str, forms: Formats
) -> Figure:
    data = [
        {
            "type": "scatter",
            "name": JOB_NAMES[job],
            "mode": "lines",
            "x": [f"{sample.at:%Y-%m-%d %H:%M:%S}" for sample in samples],
            "y": list(values),
            "line": {"color": _STYLES[job][0], "width": 2, "dash": _STYLES[job][1]},
            "hovertemplate": f"%{{x|%H:%M:%S}} UTC<br>{JOB_NAMES[job]}: %{{y:,.1f}}<extra></extra>",
        }
        for job, values in lines.items()
    ]
    layout: dict[str, Any] = {
        "xaxis": {"type": "date", "tickformat": "%H:%M:%S", "nticks": 6, "ticklabelstandoff": 6},
        "yaxis": {"title": {"text": title}, "rangemode": "tozero", "showgrid": True},
        "showlegend": True,
        "legend": {"orientation": "h", "y": 1.16, "x": 1, "xanchor": "right"},
    }
    return figure(data, layout, revision, forms)
