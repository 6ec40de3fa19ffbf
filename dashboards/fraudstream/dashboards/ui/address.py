"""A page's state in its address, so that a reload, a bookmark or a colleague shows the same view."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from dash import Dash, Input

_LONGEST = 200
# An id of 255 characters takes twelve of an address for each.
_LONGEST_QUERY = 8_000


@dataclass(frozen=True, slots=True)
class Kept:
    """A component's property that the address keeps under ``name``, unless it has its ``default``."""

    component: str
    property: str
    name: str
    default: str = ""


class Address:
    """The query of an address. A value that is missing, or that no control offers, is read as the default."""

    def __init__(self, search: str | None) -> None:
        self._values = parse_qs((search or "").lstrip("?")[:_LONGEST_QUERY])

    def one(self, name: str, choices: Iterable[str], default: str) -> str:
        """A single choice."""
        value = self._values.get(name, [default])[0]
        return value if value in set(choices) else default

    def many(self, name: str, choices: Iterable[str] | None = None) -> list[str]:
        """Several values, separated by commas, their own commas as `%2C`; with ``choices`` only those among them."""
        values = [unquote(value) for value in self._values.get(name, [""])[0].split(",") if value]
        offered = None if choices is None else set(choices)
        return [value for value in values if offered is None or value in offered]

    def text(self, name: str, longest: int = _LONGEST) -> str:
        """Free text as it was typed, cut where it is longer."""
        return self._values.get(name, [""])[0][:longest]


# The script replaces the history's entry, so that going back leaves the page instead of undoing its filters one by one.
_REMEMBER = """
function () {
  const kept = %s;
  const query = new URLSearchParams(window.location.search);
  kept.forEach(function (entry, index) {
    const value = arguments_[index];
    const part = function (one) { return String(one ?? '').replaceAll('%%', '%%25').replaceAll(',', '%%2C'); };
    const single = value === null || value === undefined ? '' : String(value);
    const text = Array.isArray(value) ? value.map(part).join(',').replace(/^,+$/, '') : single;
    if (text === '' || text === entry[1]) query.delete(entry[0]); else query.set(entry[0], text);
  });
  const search = query.toString().replaceAll('%%2C', ',');
  const address = window.location.pathname + (search ? '?' + search : '');
  if (address !== window.location.pathname + window.location.search) window.history.replaceState(null, '', address);
}
"""


def remember(app: Dash, kept: Sequence[Kept]) -> None:
    """Write these properties into the address whenever they change."""
    # The script stands in the page's HTML, and a field's name may have any sign.
    names = json.dumps([[entry.name, entry.default] for entry in kept]).replace("<", "\\u003c")
    script = (_REMEMBER % names).replace("function () {", "function () {\n  const arguments_ = arguments;", 1)
    inputs: list[Any] = [Input(entry.component, entry.property) for entry in kept]
    app.clientside_callback(script, *inputs)  # type: ignore[no-untyped-call]
