"""The parts of a page: panels with their states, cards with one number each, and lists of facts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import dash_mantine_components as dmc
from dash import Output, Patch, dcc, html

from fraudstream.dashboards.ui import figures
from fraudstream.dashboards.ui.accessibility import aria
from fraudstream.dashboards.ui.figures import Figure
from fraudstream.dashboards.ui.formats import Formats
from fraudstream.dashboards.ui.theme import Scheme, template

GRAPH_CONFIG: Any = {"displayModeBar": False, "responsive": True, "doubleClick": False}


@dataclass(frozen=True, slots=True)
class State:
    """A panel's state: ``loading``, ``ready``, ``empty``, ``stale`` (only old data) or ``failed`` (no data)."""

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

    @property
    def figure_id(self) -> str:
        return f"{self.id}-figure"

    def layout(self) -> dmc.GridCol:
        graph = dcc.Graph(
            id=self.figure_id,
            figure=figures.blank(),
            config=GRAPH_CONFIG,
            style={"height": f"{self.height}px"},
            responsive=True,
        )
        figure = html.Div(graph, role="img", **aria(label=f"{self.title}. {self.description}"))
        return frame(self.id, self.title, self.description, figure, self.wide, actions=_png_button(self))

    def outputs(self) -> dict[str, Output]:
        return {
            "figure": Output(self.figure_id, "figure"),
            "insight": Output(f"{self.id}-insight", "children"),
            **state_outputs(self.id),
        }

    def show(self, state: State, figure: Figure, scheme: Scheme, insight: str = "") -> dict[str, Any]:
        """The values of :meth:`outputs`."""
        figure["layout"]["template"] = template(scheme)
        return {"figure": figure, "insight": insight or self.description, **show_state(state)}

    def recolour(self, scheme: Scheme) -> Patch:
        """The figure's change when only the colour scheme has changed."""
        patch = Patch()
        patch["layout"]["template"] = template(scheme)
        return patch


def _png_button(panel: Panel) -> dmc.ActionIcon:
    # assets/pages.js handles the click: the browser makes the picture, because it has the figure.
    return dmc.ActionIcon(
        html.Span(className="icon icon--image"),
        id=f"{panel.id}-png",
        className="png",
        variant="subtle",
        color="gray",
        size="md",
        **aria(label=f"Save {panel.title} as PNG"),
    )


def frame(panel_id: str, title: str, description: str, body: Any, wide: int, *, actions: Any = None) -> dmc.GridCol:
    """A titled box whose class and note show its state; its first state is ``loading``."""
    heading = html.Div(
        [
            html.Div(
                [
                    html.H2(title, className="panel-title", id=f"{panel_id}-title"),
                    html.P(description, id=f"{panel_id}-insight", className="panel-insight"),
                ]
            ),
            html.Div(actions, className="panel-actions"),
        ],
        className="panel-head",
    )
    section = html.Section(
        [heading, html.Div([body, note(panel_id)], className="panel-body")],
        id=panel_id,
        className=State("loading").class_name,
        **aria(labelledby=f"{panel_id}-title"),
    )
    return dmc.GridCol(section, span={"base": 12, "sm": 12 if wide > 6 else 6, "lg": wide})


def note(panel_id: str) -> html.Div:
    """The place where a panel says that it has no data, or how old its data are."""
    return html.Div(id=f"{panel_id}-note", className="panel-note", role="status", **aria(live="polite"))


def state_outputs(panel_id: str) -> dict[str, Output]:
    return {"state": Output(panel_id, "className"), "note": Output(f"{panel_id}-note", "children")}


def outputs(panel_id: str, *texts: str) -> tuple[Output, ...]:
    """The panel's class and its note, then the texts that are named, such as its ``title`` and ``insight``."""
    shown = [Output(f"{panel_id}-{name}", "children") for name in ("note", *texts)]
    return Output(panel_id, "className"), *shown


def show_state(state: State) -> dict[str, Any]:
    return {"state": state.class_name, "note": state.note}


def state_of(
    problem: str,
    read_at: datetime | None,
    items: int,
    empty_note: str,
    forms: Formats,
    source: str = "The document store",
) -> State:
    """A panel's state.

    ``problem`` says why its source cannot be read, ``read_at`` when it was last read (None: never), and ``items`` how
    many things there are to show.
    """
    if read_at is None:
        return State("failed", f"{source} does not answer. Trying again.") if problem else State("loading", "Loading")
    if problem:
        return State("stale", f"{source} does not answer. Data from {forms.clock(read_at)}")
    return State("ready") if items else State("empty", empty_note)


@dataclass(frozen=True, slots=True)
class Card:
    """One number with its label; ``tone`` is ``fraud`` if a high number is bad news."""

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
    """The row of cards: one panel with one note."""
    grid = dmc.SimpleGrid([card.layout() for card in cards], cols={"base": 2, "sm": 3, "lg": 6}, spacing="md")
    return html.Section(
        [grid, note(panel_id)], id=panel_id, className=State("loading").class_name, **aria(label="Headline figures")
    )


def headline_outputs(figure_panels: Iterable[Panel], cards: Iterable[Card], cards_id: str) -> dict[str, Any]:
    """The outputs that every page with figures and cards has, for its :class:`Refresh`."""
    cards = tuple(cards)
    return {
        "panels": {panel.id: panel.outputs() for panel in figure_panels},
        "cards": {card.id: Output(card.id, "children") for card in cards},
        "units": {card.id: Output(f"{card.id}-unit", "children") for card in cards},
        "cards_state": state_outputs(cards_id),
    }


def facts(pairs: Iterable[tuple[str, Any]], *, wide: bool = False, label: str = "") -> html.Dl:
    """Names with their values; ``wide`` sets them side by side, ``label`` names the list for a screen reader."""
    return html.Dl(
        [html.Div([html.Dt(name), html.Dd(value)]) for name, value in pairs],
        className="facts facts--wide" if wide else "facts",
        **(aria(label=label) if label else {}),
    )


def legend() -> html.Div:
    """The meaning of the bars' two colours; a page shows it once."""
    return html.Div(
        [
            html.Span([html.I(className="swatch swatch--fraud"), "Fraud"], className="legend-item"),
            html.Span([html.I(className="swatch swatch--legitimate"), "Legitimate"], className="legend-item"),
            html.Span("% = share of frauds", className="legend-item legend-item--text"),
        ],
        className="legend",
    )
