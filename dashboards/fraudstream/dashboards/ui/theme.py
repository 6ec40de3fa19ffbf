"""All colours, Mantine's theme and Plotly's template."""

from __future__ import annotations

from typing import Any, Literal

Scheme = Literal["light", "dark"]

# Okabe and Ito's vermilion and blue, which differ in lightness too; the many legitimate transactions get a quiet blue.
FRAUD = "#D55E00"
RATE = "#0F82C8"
RATE_BAND = "rgba(15, 130, 200, 0.22)"
# A second period: Okabe and Ito's reddish purple, with another shape of marker.
SECOND = "#B0558A"
SECOND_BAND = "rgba(176, 85, 138, 0.22)"
COUNTS = "rgba(141, 160, 180, 0.55)"

# Without system-ui: on some Linux desktops it is a font whose figures are too wide for tables.
FONT = '-apple-system, "Segoe UI", Inter, Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif'

MANTINE_THEME: dict[str, Any] = {
    "fontFamily": FONT,
    "headings": {"fontFamily": FONT, "fontWeight": "650"},
    "primaryColor": "brand",
    "primaryShade": 7,
    "defaultRadius": "md",
    "colors": {
        "brand": [
            "#e8f4fb",
            "#d0e7f5",
            "#a2cfeb",
            "#71b5e0",
            "#479fd7",
            "#2b91d2",
            "#1389d0",
            "#0072b2",
            "#0064a0",
            "#00568d",
        ],
        "dark": [
            "#dbe1e9",
            "#aeb8c4",
            "#8592a2",
            "#5d6a7a",
            "#364150",
            "#28323f",
            "#1d252f",
            "#161d26",
            "#10161d",
            "#0b1016",
        ],
    },
}

# "bars" is the colour of legitimate transactions; Plotly's colorway has the order of the stacked bars, frauds first.
_INK: dict[Scheme, dict[str, str]] = {
    "light": {
        "text": "#3c4754",
        "muted": "#6a7684",
        "grid": "rgba(60, 71, 84, 0.10)",
        "panel": "#ffffff",
        "bars": "#9cc2e3",
    },
    "dark": {
        "text": "#c9d1db",
        "muted": "#8d99a8",
        "grid": "rgba(201, 209, 219, 0.10)",
        "panel": "#212b36",
        "bars": "#44688c",
    },
}


def scheme_of(value: str | None) -> Scheme:
    """The colour scheme that the browser reports; light until it reports one."""
    return "dark" if value == "dark" else "light"


def template(scheme: Scheme) -> dict[str, Any]:
    """Everything in a figure that depends on the scheme, so that switching the scheme does not touch the data."""
    ink = _INK[scheme]
    axis = {
        "showgrid": False,
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "automargin": True,
        "fixedrange": True,
        "color": ink["muted"],
        "gridcolor": ink["grid"],
        "tickfont": {"size": 11.5},
        "title": {"font": {"size": 11.5}, "standoff": 8},
    }
    return {
        "layout": {
            "font": {"family": FONT, "size": 12, "color": ink["text"]},
            "paper_bgcolor": "rgba(0, 0, 0, 0)",
            "plot_bgcolor": "rgba(0, 0, 0, 0)",
            "margin": {"l": 4, "r": 8, "t": 8, "b": 4},
            "xaxis": axis,
            "yaxis": axis | {"nticks": 5},
            "colorway": [FRAUD, ink["bars"]],
            "showlegend": False,
            "hovermode": "closest",
            "hoverlabel": {
                "bgcolor": ink["panel"],
                "bordercolor": ink["grid"],
                "align": "left",
                "font": {"family": FONT, "size": 12.5, "color": ink["text"]},
            },
        }
    }
