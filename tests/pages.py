"""The dashboards' pages as a browser asks the server for them."""

from __future__ import annotations

from typing import Any


def ask_for_page(browser: Any, path: str, search: str = "") -> Any:
    """The answer to Flask's test client ``browser`` when the address changes to this one."""
    request = {
        "output": "..content.children...navigation.children..",
        "outputs": [{"id": "content", "property": "children"}, {"id": "navigation", "property": "children"}],
        "inputs": [
            {"id": "location", "property": "pathname", "value": path},
            {"id": "location", "property": "search", "value": search},
        ],
        "changedPropIds": ["location.pathname"],
    }
    return browser.post("/_dash-update-component", json=request)
