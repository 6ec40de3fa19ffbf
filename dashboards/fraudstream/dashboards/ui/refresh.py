"""A page's refresh: at each tick in the browser, and first on the server, so that a page arrives with its data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dash import Dash, Input, Output, dcc, no_update
from dash.development.base_component import Component

from fraudstream.dashboards.ui.panels import State

# A page whose data take longer is shown without them, and asks for them itself.
PATIENCE_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Refresh:
    """What ``answer`` fills, by the shape of its answer, and what it reads, by the names of its arguments.

    Outputs and inputs are Dash's, or dictionaries of them, as deep as they may be. ``answer`` takes
    ``patience_seconds`` besides: how long it may wait for data that are not at hand. ``first`` is the id of the
    layout's :func:`first_question`.
    """

    outputs: Mapping[str, Any]
    inputs: Mapping[str, Any]
    answer: Callable[..., dict[str, Any]]
    first: str

    def register(self, app: Dash) -> None:
        """As a callback of what it reads, and of the first question."""

        def answered(_first: int | None, **given: Any) -> dict[str, Any]:
            return self.answer(**given)

        inputs = {**self.inputs, "_first": Input(self.first, "n_intervals")}
        app.callback(output=self.outputs, inputs=inputs, prevent_initial_call=True)(answered)

    def fill(self, layout: Component, elsewhere: Mapping[str, Any]) -> None:
        """Give a layout its first data; where none come in time, its browser asks for them.

        ``elsewhere`` holds what is read from components outside of the layout, by their ids.
        """
        components = {part.id: part for part in _components(layout) if hasattr(part, "id")}

        def read(inputs: Any) -> Any:
            if isinstance(inputs, Mapping):
                return {name: read(part) for name, part in inputs.items()}
            if inputs.component_id in elsewhere:
                return elsewhere[inputs.component_id]
            return getattr(components[inputs.component_id], inputs.component_property, None)

        given = {name: read(part) for name, part in self.inputs.items()}
        answered = list(_pairs(self.outputs, self.answer(**given, patience_seconds=PATIENCE_SECONDS)))
        for output, value in answered:
            if value is not no_update:
                setattr(components[output.component_id], output.component_property, value)
        loading = State("loading").class_name
        there = all(value != loading for _, value in answered)
        setattr(components[self.first], "disabled", there)  # noqa: B010 - Dash's components declare no attributes


def first_question(component_id: str) -> dcc.Interval:
    """Asks for a page's data as soon as the page is there, once."""
    return dcc.Interval(id=component_id, interval=1, max_intervals=1)


def _components(part: Any) -> Iterator[Component]:
    if isinstance(part, Component):
        yield part
        yield from _components(getattr(part, "children", None))
    elif isinstance(part, (list, tuple)):
        for each in part:
            yield from _components(each)


def _pairs(outputs: Any, answer: Any) -> Iterator[tuple[Output, Any]]:
    if isinstance(outputs, Output):
        yield outputs, answer
    else:
        for name, part in outputs.items():
            yield from _pairs(part, answer[name])
