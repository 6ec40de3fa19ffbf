"""A choice between a few values, all of them in sight."""

from __future__ import annotations

from collections.abc import Mapping

import dash_mantine_components as dmc

from fraudstream.dashboards.ui.accessibility import aria


def segments(component_id: str, value: str, texts: Mapping[str, str], label: str) -> dmc.SegmentedControl:
    """``texts``: what is shown for each value; ``label``: what the choice is called for people who hear the page."""
    data = [{"label": text, "value": name} for name, text in texts.items()]
    return dmc.SegmentedControl(id=component_id, value=value, data=data, size="xs", **aria(label=label))
