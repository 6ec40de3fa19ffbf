"""The explorer's rejected events: the newest ones, one with its raw bytes, and its replay behind a confirmation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dash import Dash, Input, Output, State, ctx, html, no_update

from fraudstream.core.contract.event import parse_event
from fraudstream.core.contract.json_text import compact, indented
from fraudstream.core.errors import EventError
from fraudstream.core.output.text import printable, printable_lines
from fraudstream.dashboards.data import stored
from fraudstream.dashboards.data.searches import place_of
from fraudstream.dashboards.data.sources import Sources
from fraudstream.dashboards.ui import panels
from fraudstream.dashboards.ui.accessibility import aria
from fraudstream.dashboards.ui.errors_shown import told
from fraudstream.dashboards.ui.formats import NOTHING, Formats
from fraudstream.dashboards.ui.rendering import request_formats

_SHOWN_BYTES = 4_096
_SHOWN_KEY_BYTES = 32
_EDITED_BYTES = 65_536
_LONGEST_ID = 300
_LONGEST_REASON = 2_000
_MOMENTS = (("Arrived", "enqueued_at"), ("Rejected", "rejected_at"), ("Stored", "stored_at"))
_HIDDEN = {"display": "none"}


def rows(documents: tuple[Mapping[str, Any], ...], forms: Formats) -> list[dict[str, Any]]:
    """Rejected events as the table's rows."""
    return [
        {
            "id": made["_id"],
            "time": f"{forms.date(made['rejected_at'])} {forms.time(made['rejected_at'])}",
            "reason": made["reason"],
            "bytes": made["raw_bytes"],
            "fraud": False,
        }
        for made in documents
    ]


def raw_text(raw: bytes) -> tuple[str, str]:
    """The bytes as printable text where they are UTF-8, else as a hexadecimal dump; and which of the two it is."""
    shown = raw[:_SHOWN_BYTES]
    try:
        # A character may be cut in two at the end of what is shown.
        text = shown.decode("utf-8", "strict" if len(raw) <= _SHOWN_BYTES else "ignore")
        return printable_lines(text), "text"
    except UnicodeDecodeError:
        lines = [
            f"{start:08x}  {shown[start : start + 16].hex(' '):<47}  "
            + "".join(chr(byte) if 32 <= byte < 127 else "." for byte in shown[start : start + 16])
            for start in range(0, len(shown), 16)
        ]
        return "\n".join(lines), "hexadecimal"


def editable(made: Mapping[str, Any]) -> str:
    """The event as text to correct: indented where it is JSON; empty where it is cut or no text."""
    raw = _raw(made)
    if len(raw) < _length(made, raw) or len(raw) > _EDITED_BYTES:
        return ""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    try:
        return indented(text)
    except ValueError:
        return text


def _raw(made: Mapping[str, Any]) -> bytes:
    raw = made.get("raw")
    return bytes(raw) if isinstance(raw, bytes) else b""


def _key(made: Mapping[str, Any]) -> str:
    """The record's key: its text, or the begin of its bytes where it is not whole text."""
    begin = made.get("key_raw")
    if isinstance(begin, bytes):
        whole = max(stored.whole(made.get("key_bytes")) or 0, len(begin))
        return f"{whole:,} bytes, that begin with {begin[:_SHOWN_KEY_BYTES].hex(' ')}"
    return NOTHING if made.get("key") in (None, "") else stored.text(made["key"])


def _length(made: Mapping[str, Any], raw: bytes) -> int:
    """How many bytes the whole value had, of which ``raw`` is what is kept."""
    return max(stored.whole(made.get("raw_bytes")) or 0, len(raw))


def detail(made: Mapping[str, Any], forms: Formats) -> html.Div:
    """One rejected event with its reason, coordinates, times and bytes."""
    raw = _raw(made)
    whole = _length(made, raw)
    text, kind = raw_text(raw)
    moments = ((name, stored.moment(made.get(field))) for name, field in _MOMENTS)
    facts = [
        ("Record", place_of(made)),
        ("Key", _key(made)),
        *((name, NOTHING if at is None else forms.moment(at)) for name, at in moments),
    ]
    cut = f", the first {len(raw[:_SHOWN_BYTES]):,} of {whole:,} bytes" if len(raw[:_SHOWN_BYTES]) < whole else ""
    return html.Div(
        [
            html.H3(
                [
                    "Rejected: ",
                    html.Span(stored.text(made.get("reason"), _LONGEST_REASON), className="verdict verdict--fraud"),
                ]
            ),
            html.Dl(
                [html.Div([html.Dt(name), html.Dd(value)]) for name, value in facts], className="facts facts--wide"
            ),
            html.P(f"Raw bytes as {kind}{cut}", className="quiet"),
            html.Pre(text, className="document document--short", tabIndex=0, **aria(label="Raw bytes")),
            html.P(
                ["SHA-256 ", html.Span(stored.text(made.get("raw_sha256") or NOTHING), className="mono")],
                className="digest",
            ),
        ]
    )


def opened(sources: Sources, number: Any) -> tuple[Any, ...]:
    """The chosen event's box: body, class, note, correction, the style of its replay, and no answer yet."""
    if not number:
        return "", panels.State("empty").class_name, "Choose a rejected event above.", "", _HIDDEN, ""
    wanted = str(number)[:_LONGEST_ID]
    if printable(wanted) != wanted:
        # No record's name; the store could not even be asked for some of these.
        return "", panels.State("empty").class_name, f"{printable(wanted)} is no record.", "", _HIDDEN, ""
    found = told(lambda: sources.lookup.rejected(wanted))
    if isinstance(found, str):
        return "", panels.State("failed").class_name, found, "", _HIDDEN, ""
    if found is None:
        note = f"There is no rejected event {wanted}."
        return "", panels.State("empty").class_name, note, "", _HIDDEN, ""
    text = editable(found)
    style = {} if text else _HIDDEN
    return detail(found, request_formats()), panels.State("ready").class_name, "", text, style, ""


def register(app: Dash, sources: Sources) -> None:
    """The tab's callbacks."""

    @app.callback(
        Output("explorer-rejections", "rowData"),
        Output("explorer-rejected", "className"),
        Output("explorer-rejected-note", "children"),
        Output("explorer-rejected-insight", "children"),
        Input("explorer-tick", "n_intervals"),
        Input("explorer-tab", "value"),
        State("explorer-rejections", "rowData"),
    )
    def newest(_tick: int | None, tab: str, before: list[dict[str, Any]] | None) -> tuple[Any, ...]:
        if tab != "rejected":
            return no_update, no_update, no_update, no_update
        view, forms = sources.rejected.look(), request_formats()
        snapshot = view.snapshot
        made = rows(snapshot.documents, forms) if snapshot else []
        empty = "Nothing was rejected: every event kept the contract."
        state = panels.state_of(view.problem, snapshot.read_at if snapshot else None, len(made), empty, forms)
        insight = f"The newest {len(made)}, newest first. Open one for its bytes and its replay"
        return (no_update if made == before else made), state.class_name, state.note, insight

    @app.callback(
        Output("explorer-event-body", "children"),
        Output("explorer-event", "className"),
        Output("explorer-event-note", "children"),
        Output("explorer-correction", "value"),
        Output("explorer-replay-box", "style"),
        Output("explorer-replayed", "children", allow_duplicate=True),
        Input("explorer-rejected-id", "data"),
        prevent_initial_call="initial_duplicate",
    )
    def open_event(number: Any) -> tuple[Any, ...]:
        return opened(sources, number)

    @app.callback(
        Output("explorer-correction", "error"),
        Output("explorer-replay", "disabled"),
        Input("explorer-correction", "value"),
    )
    def check(text: str | None) -> tuple[str, bool]:
        try:
            parse_event(_compact(text))
        except EventError as error:
            return printable(str(error), _LONGEST_REASON), True
        return "", False

    @app.callback(
        Output("explorer-confirm", "opened"),
        Output("explorer-confirm-event", "children"),
        Output("explorer-replayed", "children"),
        Output("explorer-replayed", "className"),
        Input("explorer-replay", "n_clicks"),
        Input("explorer-cancel", "n_clicks"),
        Input("explorer-send", "n_clicks"),
        State("explorer-correction", "value"),
        State("explorer-rejected-id", "data"),
        prevent_initial_call=True,
    )
    def replay(_ask: Any, _cancel: Any, _send: Any, text: str | None, number: Any) -> tuple[Any, ...]:
        if ctx.triggered_id == "explorer-replay":
            return True, printable_lines(str(text or "")), "", ""
        if ctx.triggered_id == "explorer-cancel" or sources.replay is None:
            return False, no_update, no_update, no_update
        sender = sources.replay
        sent = told(lambda: (sender.send(str(number), _compact(text)),))
        if isinstance(sent, str):
            return False, "", sent, "replayed replayed--failed"
        link = html.A("open it", href=f"/explorer?id={parse_event(_compact(text)).id}", className="cell-link link")
        return False, "", [f"Sent: it is now {sent[0]}. Once scored and stored, ", link, "."], "replayed"


def _compact(given: Any) -> bytes:
    """The event in one line, its values as they were typed; what is no character is replaced."""
    text = str(given or "")
    try:
        return compact(text).encode("utf-8", "replace")
    except ValueError:
        return text.encode("utf-8", "replace")
