"""The application: the shell, its pages, and the page that each address shows."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any

from dash import Dash, Input, Output, State
from flask import Response, request

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import RuntimePartError
from fraudstream.dashboards.access import HEALTH_PATH, Access, protect
from fraudstream.dashboards.data.parts.model import browser_address
from fraudstream.dashboards.data.parts.progress import JobsFailing, ProgressReader
from fraudstream.dashboards.data.sources import Sources
from fraudstream.dashboards.pages.explorer import page as explorer
from fraudstream.dashboards.pages.history import page as history
from fraudstream.dashboards.pages.live import page as live
from fraudstream.dashboards.pages.system import page as system
from fraudstream.dashboards.ui.refresh import Refresh
from fraudstream.dashboards.ui.shell import (
    CHOOSE_SCHEME,
    CONTENT_ID,
    INDEX,
    LOCATION_ID,
    NAVIGATION_ID,
    PROVIDER_ID,
    SCHEME_COOKIE,
    SCHEME_ID,
    TOGGLE_ID,
    navigation,
    not_found,
    shell,
)
from fraudstream.dashboards.ui.theme import scheme_of

# MLflow's client imports pandas, if it is installed, in a poller's thread. Plotly's serializer uses any pandas that it
# finds imported, and fails requests with a half-imported one. So pandas is imported here, before any thread runs.
with suppress(ImportError):
    import pandas  # noqa: F401

PAGES = (live, history, explorer, system)
_GRID_LIBRARY = re.compile(r'<script src="([^"]*/dash_ag_grid/[^"]*)"></script>')


class Application(Dash):
    """Dash without the tables' library on its index page: assets/grid-loading.js loads it for the first table."""

    def interpolate_index(self, *arguments: Any, **parts: Any) -> str:
        """The index page without that library; Dash passes the page's parts by their names."""
        script = _GRID_LIBRARY.search(parts["scripts"])
        if script is None:
            raise RuntimePartError("Dash's index page names no script of dash-ag-grid. Install the locked versions.")
        parts["scripts"] = parts["scripts"].replace(script[0], "")
        parts["metas"] += f'<meta name="grid-library" content="{script[1]}">'
        return str(super().interpolate_index(*arguments, **parts))  # type: ignore[no-untyped-call]


def create_app(settings: Settings, sources: Sources) -> Dash:
    """The pages over these sources. A browser loads everything from this process.

    Raises :class:`ConfigurationError` if strangers could see the pages under these settings.
    """
    app = Application(
        "fraudstream.dashboards",
        title="Fraudstream",
        update_title="",
        serve_locally=True,
        suppress_callback_exceptions=True,
        index_string=INDEX,
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )
    app.layout = shell(browser_address(settings))
    app.clientside_callback(  # type: ignore[no-untyped-call]
        CHOOSE_SCHEME,
        Output(SCHEME_ID, "data"),
        Output(PROVIDER_ID, "forceColorScheme"),
        Input(TOGGLE_ID, "n_clicks"),
        State(SCHEME_ID, "data"),
    )

    refreshes: dict[str, Refresh | None] = {page.PATH: page.register(app, sources) for page in PAGES}
    for refresh in refreshes.values():
        if refresh:
            refresh.register(app)

    @app.callback(
        Output(CONTENT_ID, "children"),
        Output(NAVIGATION_ID, "children"),
        Input(LOCATION_ID, "pathname"),
        Input(LOCATION_ID, "search"),
    )
    def show_page(path: str | None, search: str | None) -> tuple[Any, Any]:
        current = (path or "/").rstrip("/") or "/"
        links = navigation([(page.PATH, page.TITLE) for page in PAGES], current)
        page = next((page for page in PAGES if current == page.PATH), None)
        if page is None:
            return not_found(current), links
        content = page.layout(search)
        if refresh := refreshes[page.PATH]:
            refresh.fill(content, {SCHEME_ID: scheme_of(request.cookies.get(SCHEME_COOKIE))})
        return content, links

    protect(app.server, Access.of(settings))

    jobs = JobsFailing(ProgressReader(settings).read)

    def health() -> Response:
        """Say that this process serves, and which jobs fail; why they fail only if the pages need no login."""
        answer: dict[str, Any] = {"status": "ok"}
        if failing := jobs.look():
            answer["failing"] = failing if settings.dashboard_auth == "none" else sorted(failing)
        return Response(f"{json.dumps(answer)}\n", mimetype="application/json")

    app.server.add_url_rule(HEALTH_PATH, view_func=health)
    return app
