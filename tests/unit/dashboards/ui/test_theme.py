"""Colours that people can tell apart and read, computed as WCAG 2 and Machado et al. (2009) define it."""

from __future__ import annotations

import re
from importlib import resources
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from fraudstream.dashboards.ui import theme

# Linear RGB as it is seen without one kind of cone (severity 1).
SEEN = {
    "every cone": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
WHITE = np.array([0.9505, 1.0, 1.089])


def linear(colour: str) -> Any:
    """`#rrggbb` as linear RGB."""
    parts = np.array([int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def contrast(first: str, second: str) -> float:
    """WCAG 2's contrast ratio, 1 to 21."""
    light = sorted(float(np.dot([0.2126, 0.7152, 0.0722], linear(colour))) for colour in (first, second))
    return (light[1] + 0.05) / (light[0] + 0.05)


def apart(first: str, second: str, cones: Any) -> float:
    """The distance of two colours in CIELAB (ΔE*ab) for eyes with these cones."""

    def lab(colour: str) -> Any:
        xyz = TO_XYZ @ np.clip(np.array(cones) @ linear(colour), 0, 1) / WHITE
        root = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
        return np.array([116 * root[1] - 16, 500 * (root[0] - root[1]), 200 * (root[1] - root[2])])

    return float(np.linalg.norm(lab(first) - lab(second)))


def variables(scheme: str) -> dict[str, str]:
    """The style sheet's colours in a scheme; dark ones replace the light ones of the same name."""
    sheet = resources.files("fraudstream.dashboards").joinpath("assets/pages.css").read_text("utf-8")
    blocks = {"light": r":root \{(.*?)\}", "dark": r'\[data-mantine-color-scheme="dark"\] \{(.*?)\}'}
    colours: dict[str, str] = {}
    for name in ("light",) if scheme == "light" else ("light", "dark"):
        block = re.search(blocks[name], sheet, re.DOTALL)
        assert block is not None
        colours |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block[1]))
    return colours


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("cones", SEEN)
def test_frauds_and_the_others_differ_for_every_eye(scheme: theme.Scheme, cones: str) -> None:
    fraud, legitimate = theme.template(scheme)["layout"]["colorway"]
    # 2.3 is a difference that is just noticed.
    assert apart(fraud, legitimate, SEEN[cones]) > 20


@pytest.mark.parametrize("cones", SEEN)
def test_lines_of_one_figure_differ_for_every_eye(cones: str) -> None:
    for first, second in combinations((theme.RATE, theme.SECOND, theme.FRAUD), 2):
        assert apart(first, second, SEEN[cones]) > 10, (first, second)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_written_in_figures_has_the_contrast_of_text(scheme: theme.Scheme) -> None:
    surface, layout = variables(scheme)["surface"], theme.template(scheme)["layout"]
    for colour in (layout["font"]["color"], layout["xaxis"]["color"]):
        assert contrast(colour, surface) >= 4.5, colour


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_written_on_the_pages_has_the_contrast_of_text(scheme: str) -> None:
    colours = variables(scheme)
    for name in ("ink", "muted", "accent", "fraud", "amber", "good"):
        for ground in ("surface", "canvas", "hover"):
            assert contrast(colours[name], colours[ground]) >= 4.5, (name, ground)
    assert contrast(colours["amber"], colours["amber-tint"]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_bars_and_lines_stand_out_from_their_ground(scheme: theme.Scheme) -> None:
    surface = variables(scheme)["surface"]
    for colour in (theme.FRAUD, theme.RATE, theme.SECOND):
        assert contrast(colour, surface) >= 3, colour


def test_contrast_is_wcags() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
