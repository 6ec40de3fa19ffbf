"""The frame around every page: header, navigation, colour scheme, footer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import dcc, html

from fraudstream.core.contract.event import PROJECT
from fraudstream.core.output.text import printable
from fraudstream.dashboards.ui.accessibility import aria
from fraudstream.dashboards.ui.theme import MANTINE_THEME

_LONGEST_TITLE = 40

SCHEME_ID = "color-scheme"
SCHEME_COOKIE = "fraudstream-color-scheme"
TOGGLE_ID = "color-scheme-toggle"
PROVIDER_ID = "provider"
LOCATION_ID = "location"
CONTENT_ID = "content"
NAVIGATION_ID = "navigation"

# The script sets the scheme before the first paint, so that a dark page does not flash white. The cookie tells the
# scheme to the server, so that it can colour the figures of a page that it sends.
INDEX = """<!DOCTYPE html>
<html lang="en">
<head>
{%metas%}
<title>{%title%}</title>
{%favicon%}
{%css%}
<script>
(function () {
  var chosen = localStorage.getItem('fraudstream-color-scheme');
  var dark = chosen === 'dark' || (chosen !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  var scheme = dark ? 'dark' : 'light';
  document.documentElement.setAttribute('data-mantine-color-scheme', scheme);
  document.cookie = 'fraudstream-color-scheme=' + scheme + ';path=/;SameSite=Lax';
})();
</script>
</head>
<body>
{%app_entry%}
<footer>{%config%}{%scripts%}{%renderer%}</footer>
</body>
</html>"""


# The operating system's preference holds until the reader clicks; only a click stores a choice.
CHOOSE_SCHEME = """
function (clicks, current) {
  const key = 'fraudstream-color-scheme';
  const preferred = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
  let scheme = current || localStorage.getItem(key) || preferred;
  if (clicks) {
    scheme = scheme === 'dark' ? 'light' : 'dark';
    localStorage.setItem(key, scheme);
    document.cookie = key + '=' + scheme + ';path=/;SameSite=Lax';
  }
  return [scheme, scheme];
}
"""


def shell(mlflow_uri: str) -> dmc.MantineProvider:
    """The frame of the application; its main part holds the page. ``mlflow_uri`` is empty if no browser can open it."""
    header = html.Header(
        html.Div(
            [
                dcc.Link(
                    [
                        html.Span(className="brand-mark"),
                        "Fraudstream",
                        html.Span(printable(PROJECT.definition.title, _LONGEST_TITLE), className="brand-title"),
                    ],
                    href="/",
                    className="brand",
                ),
                html.Nav(id=NAVIGATION_ID, className="navigation", **aria(label="Pages")),
                html.Div(
                    [_mlflow_link(mlflow_uri, "header-link"), _scheme_toggle()],
                    className="header-end",
                ),
            ],
            className="header-inner",
        ),
        className="header",
    )
    currency = PROJECT.definition.display.currency or "the accounts' currency"
    footer = html.Footer(
        [
            html.Span(f"Fraudstream. Amounts are in {currency}, times in UTC."),
            _mlflow_link(mlflow_uri, "footer-link"),
        ],
        className="footer",
    )
    skip = html.A("Skip to content", href=f"#{CONTENT_ID}", className="skip")
    return dmc.MantineProvider(
        [
            skip,
            dcc.Location(id=LOCATION_ID),
            dcc.Store(id=SCHEME_ID),
            header,
            html.Main(id=CONTENT_ID, className="main"),
            footer,
        ],
        id=PROVIDER_ID,
        theme=MANTINE_THEME,
        defaultColorScheme="auto",
    )


def heading(title: str, subtitle: str, controls: Any, subtitle_id: str | None = None) -> html.Div:
    """A page's title row with its controls; ``subtitle_id`` is for a subtitle that changes."""
    below = html.P(subtitle, className="page-subtitle")
    if subtitle_id:
        below.id = subtitle_id  # type: ignore[attr-defined]
    return html.Div([html.Div([html.H1(title, className="page-title"), below]), controls], className="page-head")


def navigation(pages: Sequence[tuple[str, str]], current: str) -> list[dcc.Link]:
    """The links to the pages, (path, title); the current one is marked."""
    return [
        dcc.Link(
            title,
            href=path,
            className="navigation-link navigation-link--current" if path == current else "navigation-link",
        )
        for path, title in pages
    ]


def not_found(path: str) -> html.Div:
    """The page for an unknown address."""
    return html.Div(
        [html.H1("No such page", className="page-title"), html.P([html.Code(path), " is not one of the pages above."])],
        className="page",
    )


def _mlflow_link(uri: str, class_name: str) -> html.A | None:
    if not uri:
        return None
    return html.A("Models in MLflow", href=uri, className=class_name, target="_blank", rel="noopener")


def _scheme_toggle() -> dmc.ActionIcon:
    return dmc.ActionIcon(
        html.Span(className="icon icon--scheme"),
        id=TOGGLE_ID,
        variant="subtle",
        color="gray",
        size="lg",
        **aria(label="Switch between light and dark"),
    )
