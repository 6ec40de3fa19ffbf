"""A page arrives with its data, or its browser asks for them as soon as it shows the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fraudstream.core.configuration.settings import load_settings
from fraudstream.dashboards.app import create_app
from fraudstream.dashboards.data.feed import View
from fraudstream.dashboards.data.sources import Sources
from fraudstream.dashboards.pages.history import page as history
from fraudstream.dashboards.pages.live import page as live
from fraudstream.dashboards.pages.system import page as system
from fraudstream.dashboards.ui.panels import State
from fraudstream.dashboards.ui.refresh import PATIENCE_SECONDS
from fraudstream.dashboards.ui.theme import template
from tests.pages import ask_for_page

READY, LOADING = State("ready").class_name, State("loading").class_name
Shown = Callable[..., dict[str, dict[str, Any]]]


@pytest.fixture
def sources(traffic: Any) -> Iterator[Sources]:
    settings = load_settings(mlflow_tracking_uri="", scoring="embedded")
    with Sources(settings, traffic.store, traffic.tail, now=lambda: traffic.now) as sources:
        for feed in (sources.live, sources.history):
            feed.look(patience_seconds=10)
        yield sources


@pytest.fixture
def shown(sources: Sources) -> Shown:
    return pages_of(sources)


def pages_of(sources: Sources) -> Shown:
    """Address → the properties of each component of its page, by the component's id."""
    browser = create_app(sources.settings, sources).server.test_client()

    def at(path: str, search: str = "", **cookies: str) -> dict[str, dict[str, Any]]:
        for name, value in cookies.items():
            browser.set_cookie(name.replace("_", "-"), value)
        answer = ask_for_page(browser, path, search).get_json()
        return dict(_components(answer["response"]["content"]["children"]))

    return at


def _components(part: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(part, list):
        for child in part:
            yield from _components(child)
    elif isinstance(part, dict) and "props" in part:
        if "id" in part["props"]:
            yield part["props"]["id"], part["props"]
        yield from _components(part["props"].get("children"))


def test_the_live_page_arrives_with_its_figures_cards_and_rows(shown: Shown, traffic: Any) -> None:
    page = shown("/")
    assert page["live-transactions"]["children"] == f"{len(traffic.live):,}"
    for panel in live.PANELS:
        assert page[panel.id]["className"] == READY
        assert page[panel.figure_id]["figure"]["data"]
    assert page["live-decisions-table"]["rowData"][0]["id"] == str(traffic.tail.window.view().details[0].id)
    assert page["live-first"]["disabled"] is True


def test_what_arrives_follows_the_address(shown: Shown, traffic: Any) -> None:
    mondays = sum(row["day_of_week"] == "monday" for row in traffic.live)
    assert shown("/", "?day_of_week=monday")["live-transactions"]["children"] == f"{mondays:,}"
    stored = shown("/history", "?origin=history")
    assert stored["history-transactions"]["children"] == f"{len(traffic.history):,}"
    assert {stored[panel.id]["className"] for panel in history.PANELS.values()} == {READY}


def test_its_figures_have_the_colours_that_the_browser_has_chosen(shown: Shown) -> None:
    for scheme in ("dark", "light"):
        layout = shown("/", fraudstream_color_scheme=scheme)[live.PANELS[0].figure_id]["figure"]["layout"]
        assert layout["template"]["layout"]["font"] == template(scheme)["layout"]["font"]
    assert template("dark")["layout"]["font"] != template("light")["layout"]["font"]


def test_the_browser_does_not_ask_again_for_what_has_arrived(shown: Shown, sources: Sources) -> None:
    mark = shown("/history")["history-seen"]["data"]
    assert mark
    browser = create_app(sources.settings, sources).server.test_client()
    callbacks = browser.get("/_dash-dependencies").get_json()
    asked = [callback for callback in callbacks if any(read["id"].endswith("-tick") for read in callback["inputs"])]
    filled = [callback for callback in asked if any(read["id"].endswith("-first") for read in callback["inputs"])]
    assert len(filled) == 3
    assert all(callback["prevent_initial_call"] for callback in filled)


def test_a_page_whose_data_take_long_comes_without_them_and_asks_for_them(
    shown: Shown, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    def look(patience_seconds: float) -> View[Any]:
        waited.append(patience_seconds)
        return View()

    monkeypatch.setattr(sources.system, "look", look)
    page = shown("/system")
    assert waited == [PATIENCE_SECONDS]
    assert page[system.RATES.id]["className"] == LOADING
    assert page["system-first"]["disabled"] is False


def test_a_page_reports_a_lost_store_when_it_arrives(traffic: Any) -> None:
    traffic.store.away = True
    settings = load_settings(mlflow_tracking_uri="", scoring="embedded")
    with Sources(settings, traffic.store, now=lambda: traffic.now) as sources:
        sources.history.look(patience_seconds=10)
        page = pages_of(sources)("/history")
    assert page["history-cards"]["className"] == State("failed").class_name
    assert page["history-first"]["disabled"] is True
