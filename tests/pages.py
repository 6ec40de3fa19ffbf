"""The dashboards' pages as a browser asks the server for them."""

from __future__ import annotations

from collections.abc import Mapping
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


def ask_callback(browser: Any, output: str, values: Mapping[str, Any], changed: str = "") -> Any:
    """The answer of the callback that has this output; ``values`` by component, ``changed``: what asks."""
    callbacks = browser.get("/_dash-dependencies").get_json()
    outputs_of = [each["output"].removeprefix("..").removesuffix("..").split("...") for each in callbacks]
    callback, outputs = next((each, of) for each, of in zip(callbacks, outputs_of, strict=True) if output in of)
    known = [dict(zip(("id", "property"), each.split("@")[0].rsplit(".", 1), strict=True)) for each in outputs]
    filled = [[{**item, "value": values.get(item["id"])} for item in callback[kind]] for kind in ("inputs", "state")]
    request = {
        "output": callback["output"],
        "outputs": known if len(known) > 1 else known[0],
        "inputs": filled[0],
        "state": filled[1],
        "changedPropIds": [changed or "{id}.{property}".format(**callback["inputs"][-1])],
    }
    return browser.post("/_dash-update-component", json=request)
