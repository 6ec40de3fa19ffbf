"""What pages are made of: panels with their states, and cards with one number each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dash_mantine_components as dmc
import plotly.graph_objects as go
from dash import Output, Patch, dcc, html

from fraudstream.dashboards import figures, words
from fraudstream.dashboards.accessibility import aria
from fraudstream.dashboards.feed import View
from fraudstream.dashboards.theme import Scheme, template

GRAPH_CONFIG: Any = {"displayModeBar": False, "responsive": True, "doubleClick": False}


@dataclass(frozen=True, slots=True)
class State:
    """How a panel stands: ``loading``, ``ready``, ``empty``, ``stale`` (last good data) or ``failed`` (none yet)."""

    name: str
    note: str = ""

    @property
    def class_name(self) -> str:
        return f"panel panel--{self.name}"


@dataclass(frozen=True, slots=True)
class Panel:
    """One figure with its title; ``wide`` is its share of twelve columns on a large screen, ``height`` in pixels."""

    id: str
    title: str
    description: str
    wide: int
    height: int = 250

    def layout(self) -> dmc.GridCol:
        graph = dcc.Graph(
            id=f"{self.id}-figure",
            figure=figures.blank(),
            config=GRAPH_CONFIG,
            style={"height": f"{self.height}px"},
            responsive=True,
        )
        figure = html.Div(graph, role="img", **aria(label=f"{self.title}. {self.description}"))
        return frame(self.id, self.title, self.description, figure, self.wide)

    def outputs(self) -> dict[str, Output]:
        return {
            "figure": Output(f"{self.id}-figure", "figure"),
            "insight": Output(f"{self.id}-insight", "children"),
            **state_outputs(self.id),
        }

    def show(self, state: State, figure: go.Figure, scheme: Scheme, insight: str = "") -> dict[str, Any]:
        """The values of :meth:`outputs`."""
        figure.layout.template = template(scheme)
        return {"figure": figure, "insight": insight or self.description, **show_state(state)}

    def recolour(self, scheme: Scheme) -> Patch:
        """The figure's change when only the colour scheme has changed."""
        patch = Patch()
        patch["layout"]["template"] = template(scheme)
        return patch


def frame(panel_id: str, title: str, description: str, body: Any, wide: int, *, actions: Any = None) -> dmc.GridCol:
    """A titled box whose class and note tell its state; it starts loading."""
    heading = html.Div(
        [
            html.Div(
                [
                    html.H2(title, className="panel-title"),
                    html.P(description, id=f"{panel_id}-insight", className="panel-insight"),
                ]
            ),
            actions,
        ],
        className="panel-head",
    )
    section = html.Section(
        [heading, html.Div([body, note(panel_id)], className="panel-body")],
        id=panel_id,
        className=State("loading").class_name,
        **aria(label=title),
    )
    return dmc.GridCol(section, span={"base": 12, "sm": 12 if wide > 6 else 6, "lg": wide})


def note(panel_id: str) -> html.Div:
    """Where a panel says that it has no data, or since when its data are old."""
    return html.Div(id=f"{panel_id}-note", className="panel-note", role="status", **aria(live="polite"))


def state_outputs(panel_id: str) -> dict[str, Output]:
    return {"state": Output(panel_id, "className"), "note": Output(f"{panel_id}-note", "children")}


def show_state(state: State) -> dict[str, Any]:
    return {"state": state.class_name, "note": state.note}


def state_of(view: View, transactions: int, empty_note: str) -> State:
    """A panel's state, given how many transactions its figure is made of."""
    if view.snapshot is None:
        if view.problem:
            return State("failed", "The document store does not answer. Trying again every second.")
        return State("loading", "Loading")
    if view.problem:
        return State("stale", f"Store does not answer. Data from {words.clock(view.snapshot.read_at)}")
    return State("ready") if transactions else State("empty", empty_note)


@dataclass(frozen=True, slots=True)
class Card:
    """One number with its label; ``tone`` is ``fraud`` where a high number is bad news."""

    id: str
    label: str
    unit: str
    tone: str = "plain"

    def layout(self) -> html.Div:
        return html.Div(
            [
                html.Div(self.label, className="card-label", id=f"{self.id}-label"),
                html.Div(dmc.Skeleton(h=26, w=90), id=self.id, className="card-value"),
                html.Div(self.unit, id=f"{self.id}-unit", className="card-unit"),
            ],
            className=f"card card--{self.tone}",
            role="group",
            **aria(labelledby=f"{self.id}-label"),
        )


def cards_layout(panel_id: str, cards: tuple[Card, ...]) -> html.Section:
    """The headline row, one panel with one note."""
    grid = dmc.SimpleGrid([card.layout() for card in cards], cols={"base": 2, "sm": 3, "lg": 6}, spacing="md")
    return html.Section(
        [grid, note(panel_id)], id=panel_id, className=State("loading").class_name, **aria(label="Headline figures")
    )


def legend() -> html.Div:
    """What the two colours of the bars mean, once a page."""
    return html.Div(
        [
            html.Span([html.I(className="swatch swatch--fraud"), "Fraud"], className="legend-item"),
            html.Span([html.I(className="swatch swatch--legitimate"), "Legitimate"], className="legend-item"),
            html.Span("% = share of frauds", className="legend-item legend-item--text"),
        ],
        className="legend",
    )
