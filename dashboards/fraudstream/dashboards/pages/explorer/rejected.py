"""The explorer's rejected events: a list of the newest, one with its raw bytes, and its replay after a confirmation."""

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
from fraudstream.dashboards.ui import decisions, panels
from fraudstream.dashboards.ui.accessibility import aria
from fraudstream.dashboards.ui.errors_shown import answer_or_reason
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
            "record": document["_id"],
            "id": decisions.for_address(document["_id"]),
            "time": f"{forms.date(document['rejected_at'])} {forms.time(document['rejected_at'])}",
            "reason": document["reason"],
            "bytes": document["raw_bytes"],
            "fraud": False,
        }
        for document in documents
    ]


def raw_text(raw: bytes) -> tuple[str, str]:
    """The bytes as printable text if they are UTF-8, else as a hexadecimal dump; and the name of the form."""
    head = raw[:_SHOWN_BYTES]
    try:
        # The last character that is shown may be cut in two.
        text = head.decode("utf-8", "strict" if len(raw) <= _SHOWN_BYTES else "ignore")
        return printable_lines(text), "text"
    except UnicodeDecodeError:
        lines = [
            f"{start:08x}  {head[start : start + 16].hex(' '):<47}  "
            + "".join(chr(byte) if 32 <= byte < 127 else "." for byte in head[start : start + 16])
            for start in range(0, len(head), 16)
        ]
        return "\n".join(lines), "hexadecimal"


def editable(document: Mapping[str, Any]) -> str:
    """The event as text to correct, indented if it is JSON; empty if it was cut or is not text."""
    raw = _raw(document)
    if len(raw) < _length(document, raw) or len(raw) > _EDITED_BYTES:
        return ""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    try:
        return indented(text)
    except ValueError:
        return text


def _raw(document: Mapping[str, Any]) -> bytes:
    raw = document.get("raw")
    return bytes(raw) if isinstance(raw, bytes) else b""


def _key(document: Mapping[str, Any]) -> str:
    """The record's key as text; if it is not text, or was cut, its length and its first bytes."""
    first_bytes = document.get("key_raw")
    if isinstance(first_bytes, bytes):
        length = max(stored.whole(document.get("key_bytes")) or 0, len(first_bytes))
        return f"{length:,} bytes that begin with {first_bytes[:_SHOWN_KEY_BYTES].hex(' ')}"
    return NOTHING if document.get("key") in (None, "") else stored.text(document["key"])


def _length(document: Mapping[str, Any], raw: bytes) -> int:
    """The length of the whole value in bytes; ``raw`` is the part of it that is stored."""
    return max(stored.whole(document.get("raw_bytes")) or 0, len(raw))


def detail(document: Mapping[str, Any], forms: Formats) -> html.Div:
    """One rejected event with its reason, its place in Kafka, its times and its bytes."""
    raw = _raw(document)
    length = _length(document, raw)
    text, kind = raw_text(raw)
    moments = ((name, stored.moment(document.get(field))) for name, field in _MOMENTS)
    facts = [
        ("Record", place_of(document)),
        ("Key", _key(document)),
        *((name, NOTHING if at is None else forms.moment(at)) for name, at in moments),
    ]
    cut = f", the first {len(raw[:_SHOWN_BYTES]):,} of {length:,} bytes" if len(raw[:_SHOWN_BYTES]) < length else ""
    return html.Div(
        [
            html.H3(
                [
                    "Rejected: ",
                    html.Span(stored.text(document.get("reason"), _LONGEST_REASON), className="verdict verdict--fraud"),
                ]
            ),
            panels.facts(facts, wide=True),
            html.P(f"Raw bytes as {kind}{cut}", className="quiet"),
            html.Pre(text, className="document document--short", tabIndex=0, **aria(label="Raw bytes")),
            html.P(
                ["SHA-256 ", html.Span(stored.text(document.get("raw_sha256") or NOTHING), className="mono")],
                className="digest",
            ),
        ]
    )


def opened(sources: Sources, rejected_id: Any) -> tuple[Any, ...]:
    """The outputs for the chosen event: body, class, note, text to correct, style of the replay, and no answer yet."""
    if not rejected_id:
        return "", panels.State("empty").class_name, "Choose a rejected event above.", "", _HIDDEN, ""
    wanted = str(rejected_id)[:_LONGEST_ID]
    if printable(wanted) != wanted:
        # The name of a record is printable, and some other texts cannot even be sent to the store.
        return "", panels.State("empty").class_name, f"{printable(wanted)} is no record.", "", _HIDDEN, ""
    document = answer_or_reason(lambda: sources.lookup.rejected(wanted))
    if isinstance(document, str):
        return "", panels.State("failed").class_name, document, "", _HIDDEN, ""
    if document is None:
        note = f"There is no rejected event {wanted}."
        return "", panels.State("empty").class_name, note, "", _HIDDEN, ""
    text = editable(document)
    style = {} if text else _HIDDEN
    return detail(document, request_formats()), panels.State("ready").class_name, "", text, style, ""


def register(app: Dash, sources: Sources) -> None:
    """Register the tab's callbacks."""

    @app.callback(
        Output("explorer-rejections", "rowData"),
        *panels.outputs("explorer-rejected", "insight"),
        Input("explorer-tick", "n_intervals"),
        Input("explorer-tab", "value"),
        State("explorer-rejections", "rowData"),
    )
    def newest(_tick: int | None, tab: str, before: list[dict[str, Any]] | None) -> tuple[Any, ...]:
        if tab != "rejected":
            return no_update, no_update, no_update, no_update
        view, forms = sources.rejected.look(), request_formats()
        snapshot = view.snapshot
        newest_rows = rows(snapshot.documents, forms) if snapshot else []
        empty = "Nothing was rejected: every event kept the contract."
        state = panels.state_of(view.problem, snapshot.read_at if snapshot else None, len(newest_rows), empty, forms)
        insight = f"The newest {len(newest_rows)}, newest first. Open one for its bytes and its replay"
        return (no_update if newest_rows == before else newest_rows), state.class_name, state.note, insight

    @app.callback(
        Output("explorer-event-body", "children"),
        *panels.outputs("explorer-event"),
        Output("explorer-correction", "value"),
        Output("explorer-replay-box", "style"),
        Output("explorer-replayed", "children", allow_duplicate=True),
        Input("explorer-rejected-id", "data"),
        prevent_initial_call="initial_duplicate",
    )
    def open_event(rejected_id: Any) -> tuple[Any, ...]:
        return opened(sources, rejected_id)

    @app.callback(
        Output("explorer-correction", "error"),
        Output("explorer-replay", "disabled"),
        Input("explorer-correction", "value"),
    )
    def check(text: str | None) -> tuple[str, bool]:
        try:
            parse_event(one_line(text))
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
    def replay(_ask: Any, _cancel: Any, _send: Any, text: str | None, rejected_id: Any) -> tuple[Any, ...]:
        if ctx.triggered_id == "explorer-replay":
            return True, printable_lines(str(text or "")), "", ""
        if ctx.triggered_id == "explorer-cancel" or sources.replay is None:
            return False, no_update, no_update, no_update
        sender = sources.replay
        event = one_line(text)
        # A tuple tells the record's name from the text of an error.
        result = answer_or_reason(lambda: (sender.send(str(rejected_id), event),))
        if isinstance(result, str):
            return False, "", result, "replayed replayed--failed"
        link = html.A(
            "open it",
            href=f"/explorer?id={decisions.for_address(str(parse_event(event).id))}",
            className="cell-link link",
        )
        return False, "", [f"Sent: it is now {result[0]}. Once scored and stored, ", link, "."], "replayed"


def one_line(typed: Any) -> bytes:
    """The event in one line, with its values as they were typed; half characters (surrogates) are replaced."""
    text = str(typed or "")
    try:
        return compact(text).encode("utf-8", "replace")
    except ValueError:
        return text.encode("utf-8", "replace")
