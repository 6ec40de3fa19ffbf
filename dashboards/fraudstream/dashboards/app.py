"""The application: the shell, its pages, and which page an address shows."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State

from fraudstream.core.settings import Settings
from fraudstream.dashboards import history, live
from fraudstream.dashboards.feed import Feed
from fraudstream.dashboards.shell import (
    CHOOSE_SCHEME,
    CONTENT_ID,
    INDEX,
    LOCATION_ID,
    NAVIGATION_ID,
    PROVIDER_ID,
    SCHEME_ID,
    TOGGLE_ID,
    navigation,
    not_found,
    shell,
)

PAGES = (live, history)


def create_app(settings: Settings, feed: Feed) -> Dash:
    """The pages over a feed. Everything that a browser loads comes from this process."""
    app = Dash(
        "fraudstream.dashboards",
        title="Fraudstream",
        update_title="",
        serve_locally=True,
        suppress_callback_exceptions=True,
        index_string=INDEX,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    app.layout = shell(settings.mlflow_tracking_uri)
    app.clientside_callback(  # type: ignore[no-untyped-call]
        CHOOSE_SCHEME,
        Output(SCHEME_ID, "data"),
        Output(PROVIDER_ID, "forceColorScheme"),
        Input(TOGGLE_ID, "n_clicks"),
        State(SCHEME_ID, "data"),
    )

    @app.callback(Output(CONTENT_ID, "children"), Output(NAVIGATION_ID, "children"), Input(LOCATION_ID, "pathname"))
    def show_page(path: str | None) -> tuple[Any, Any]:
        current = (path or "/").rstrip("/") or "/"
        links = navigation([(page.PATH, page.TITLE) for page in PAGES], current)
        page = next((page for page in PAGES if current == page.PATH), None)
        return (page.layout() if page else not_found(current)), links

    for page in PAGES:
        page.register(app, feed)
    return app
