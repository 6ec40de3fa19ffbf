"""A page's refresh: the server fills a page before it sends it, and the browser asks again at each tick."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dash import Dash, Input, Output, dcc, no_update
from dash.development.base_component import Component

from fraudstream.dashboards.ui.panels import State
from fraudstream.dashboards.ui.shell import SCHEME_ID

# A page whose data take longer than this is sent without them, and its browser asks for them.
PATIENCE_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Refresh:
    """How a page is refreshed: ``answer`` computes the ``outputs`` from the ``inputs``.

    ``outputs`` has the shape of the answer, ``inputs`` the names of its arguments; both hold Dash's outputs and inputs,
    or dictionaries of them, nested as needed. ``answer`` also takes ``_tick``, the count of the page's interval,
    ``scheme``, the colours that the reader chose, and ``patience_seconds``, the longest time that it may wait for data.
    The layout holds the interval ``<page>-tick`` and, as ``<page>-first``, its :func:`first_question`.
    """

    page: str
    outputs: Mapping[str, Any]
    inputs: Mapping[str, Any]
    answer: Callable[..., dict[str, Any]]

    @property
    def _arguments(self) -> dict[str, Any]:
        tick = Input(f"{self.page}-tick", "n_intervals")
        return {"_tick": tick, "scheme": Input(SCHEME_ID, "data"), **self.inputs}

    @property
    def _first(self) -> str:
        return f"{self.page}-first"

    def register(self, app: Dash) -> None:
        """Register it as a callback of its inputs and of the first question."""

        def refresh(_first: int | None, **arguments: Any) -> dict[str, Any]:
            return self.answer(**arguments)

        inputs = {**self._arguments, "_first": Input(self._first, "n_intervals")}
        app.callback(output=self.outputs, inputs=inputs, prevent_initial_call=True)(refresh)

    def fill(self, layout: Component, elsewhere: Mapping[str, Any]) -> None:
        """Give a layout its first data. If they do not come in time, its browser asks for them.

        ``elsewhere`` holds the values of components outside of the layout, by their ids.
        """
        components = {part.id: part for part in _components(layout) if hasattr(part, "id")}

        def read(inputs: Any) -> Any:
            if isinstance(inputs, Mapping):
                return {name: read(part) for name, part in inputs.items()}
            if inputs.component_id in elsewhere:
                return elsewhere[inputs.component_id]
            return getattr(components[inputs.component_id], inputs.component_property, None)

        arguments = {name: read(part) for name, part in self._arguments.items()}
        values = list(_pairs(self.outputs, self.answer(**arguments, patience_seconds=PATIENCE_SECONDS)))
        for output, value in values:
            if value is not no_update:
                setattr(components[output.component_id], output.component_property, value)
        loading = State("loading").class_name
        complete = all(value != loading for _, value in values)
        setattr(components[self._first], "disabled", complete)  # noqa: B010 - Dash's components declare no attributes


def first_question(component_id: str) -> dcc.Interval:
    """An interval that makes the browser ask for a page's data once, as soon as it shows the page."""
    return dcc.Interval(id=component_id, interval=1, max_intervals=1)


def _components(part: Any) -> Iterator[Component]:
    if isinstance(part, Component):
        yield part
        yield from _components(getattr(part, "children", None))
    elif isinstance(part, (list, tuple)):
        for child in part:
            yield from _components(child)


def _pairs(outputs: Any, answer: Any) -> Iterator[tuple[Output, Any]]:
    if isinstance(outputs, Output):
        yield outputs, answer
    else:
        for name, part in outputs.items():
            yield from _pairs(part, answer[name])
