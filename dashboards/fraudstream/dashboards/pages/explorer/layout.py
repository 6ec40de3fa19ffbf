"""The explorer's layout; the address keeps what a reader has opened in it."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, dcc, html

from fraudstream.core.contract.event import AMOUNT, FIRST_LIVE_ID, ID, RULES
from fraudstream.dashboards.data.fields import VALUES
from fraudstream.dashboards.data.searches import ROWS, SEARCHED
from fraudstream.dashboards.ui import decisions, panels, words
from fraudstream.dashboards.ui.accessibility import aria
from fraudstream.dashboards.ui.address import Address, Kept, remember
from fraudstream.dashboards.ui.shell import heading
from fraudstream.dashboards.ui.stored_rows import ROW_COLUMNS

PATH = "/explorer"
TITLE = "Explorer"
TABS = {"transaction": "Transaction", "search": "Search", "rejected": "Rejected"}
TICK_MS = 3_000

_HAS_TEXT_IDS = RULES[ID].kind == "text"
# An id has at most 255 characters, and blanks around them when it is pasted.
_LONGEST_ID = 300
_FIRST_FIELD = words.SUMMARY[0] if words.SUMMARY else AMOUNT

KEPT = (
    Kept("explorer-tab", "value", "tab", "transaction"),
    Kept("explorer-id", "value", "id"),
    Kept("explorer-field", "value", "field", _FIRST_FIELD),
    Kept("explorer-value", "value", "value"),
    Kept("explorer-where", "value", "where", "all"),
    Kept("explorer-rejected-id", "data", "event"),
)

# A value to search for, or the form of a span of numbers.
_EXAMPLE = (VALUES[_FIRST_FIELD] or ("",))[-1] if _FIRST_FIELD in VALUES else "10..20"

_REJECTED_COLUMNS: list[dict[str, Any]] = [
    {"field": "time", "headerName": "Rejected, UTC", "width": 170},
    {"field": "record", "headerName": "Record", "width": 180, "cellRenderer": "RejectedLink"},
    {"field": "reason", "headerName": "Reason", "flex": 1, "minWidth": 260},
    {"field": "bytes", "headerName": "Bytes", "width": 84, "type": "rightAligned", "valueFormatter": decisions.WHOLE},
]


def layout(search: str | None = None) -> html.Div:
    """The page before its first data, in the state that the address holds."""
    address = Address(search)
    tabs = dmc.Tabs(
        [
            dmc.TabsList([dmc.TabsTab(label, value=name) for name, label in TABS.items()], **aria(label="Explorer")),
            dmc.TabsPanel(_transaction(address), value="transaction"),
            dmc.TabsPanel(_search(address), value="search"),
            dmc.TabsPanel(_rejected(), value="rejected"),
        ],
        id="explorer-tab",
        value=address.one("tab", TABS, "transaction"),
        keepMounted=True,
    )
    return html.Div(
        [
            heading("Explorer", "One transaction from its arrival to its document, and what was rejected", None),
            tabs,
            dcc.Interval(id="explorer-tick", interval=TICK_MS),
            dcc.Store(id="explorer-rejected-id", data=address.text("event") or None),
        ],
        className="page",
    )


def _transaction(address: Address) -> html.Div:
    id_input = dmc.TextInput(
        id="explorer-id",
        value=address.text("id", _LONGEST_ID),
        placeholder="" if _HAS_TEXT_IDS else str(FIRST_LIVE_ID),
        label="Transaction id",
        debounce=True,
        inputProps={"inputMode": "text" if _HAS_TEXT_IDS else "numeric"},
        w=380 if _HAS_TEXT_IDS else 220,
        size="sm",
    )
    form = html.Div([id_input, dmc.Button("Open", id="explorer-open", size="sm")], className="form")
    content = [html.Div(id="explorer-transaction"), html.P(id="explorer-arrival", className="quiet")]
    transaction = _framed("explorer-transaction-state", "Transaction", html.Div(content))
    return html.Div([form, transaction], className="explorer-tab")


def _search(address: Address) -> html.Div:
    fields = sorted(SEARCHED, key=str.casefold)
    form = html.Div(
        [
            dmc.Select(
                id="explorer-field",
                label="Field",
                data=[{"value": name, "label": words.inside(words.field_label(name))} for name in fields],
                value=address.one("field", fields, _FIRST_FIELD),
                allowDeselect=False,
                searchable=True,
                size="sm",
                w=200,
            ),
            dmc.TextInput(
                id="explorer-value",
                label="Value",
                value=address.text("value"),
                placeholder=_EXAMPLE,
                debounce=False,
                size="sm",
                w=200,
            ),
            dmc.Select(
                id="explorer-where",
                label="Among",
                data=[
                    {"value": "all", "label": "All transactions"},
                    {"value": "alerts", "label": "Newest alerts"},
                ],
                value=address.one("where", ("all", "alerts"), "all"),
                allowDeselect=False,
                size="sm",
                w=180,
            ),
            dmc.Button("Find", id="explorer-find", size="sm"),
        ],
        className="form",
    )
    grid = decisions.grid("explorer-rows", ROW_COLUMNS, height=480, row_id="params.data.id", label="Found transactions")
    results = panels.frame("explorer-search", "Found", f"At most {ROWS} transactions, in no order", grid, 12)
    return html.Div([form, dmc.Grid([results], gutter="md")], className="explorer-tab")


def _rejected() -> html.Div:
    grid = decisions.grid(
        "explorer-rejections", _REJECTED_COLUMNS, height=340, row_id="params.data.id", label="Rejected events"
    )
    newest = panels.frame("explorer-rejected", "Rejected events", "The newest ones", grid, 12)
    detail = _framed("explorer-event", "Rejected event", html.Div(id="explorer-event-body"))
    replay = html.Div(
        [
            dmc.Textarea(
                id="explorer-correction",
                label="Event to send",
                description="Correct it here: it is sent to the topic transactions as it stands, if it is valid.",
                autosize=True,
                minRows=4,
                maxRows=14,
                classNames={"input": "mono"},
            ),
            html.Div(
                [
                    dmc.Button("Replay …", id="explorer-replay", size="sm", disabled=True),
                    html.Div(id="explorer-replayed", role="status", **aria(live="polite")),
                ],
                className="form form--end",
            ),
        ],
        id="explorer-replay-box",
        style={"display": "none"},
    )
    confirm = dmc.Modal(
        [
            dmc.Text("The event goes to the topic transactions and is scored like any other.", size="sm"),
            html.Pre("", id="explorer-confirm-event", className="document document--short", tabIndex=0),
            dmc.Group(
                [
                    dmc.Button("Cancel", id="explorer-cancel", variant="default", size="sm"),
                    dmc.Button("Send it", id="explorer-send", size="sm"),
                ],
                justify="flex-end",
                mt="md",
            ),
        ],
        id="explorer-confirm",
        title="Send this event again?",
        opened=False,
        closeButtonProps=aria(label="Close"),
    )
    return html.Div([dmc.Grid([newest], gutter="md"), detail, replay, confirm], className="explorer-tab")


def _framed(panel_id: str, label: str, body: Any) -> html.Section:
    return html.Section(
        html.Div([body, panels.note(panel_id)], className="panel-body panel-body--text"),
        id=panel_id,
        className=panels.State("loading").class_name,
        **aria(label=label),
    )


def register(app: Dash) -> None:
    """Keep what is open in the address."""
    remember(app, KEPT)
