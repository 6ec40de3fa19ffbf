"""The explorer: one transaction end to end, a search by field, and the rejected events."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, State, ctx, no_update

from fraudstream.core.contract.event import ID, RULES
from fraudstream.core.documents.client import Document
from fraudstream.core.output.text import printable
from fraudstream.core.project.project import MOST_ID_CHARACTERS
from fraudstream.dashboards.data.fields import whole_number
from fraudstream.dashboards.data.parts.model import browser_address, model_address
from fraudstream.dashboards.data.searches import ROW_PROJECTION, Rows, asked, criteria, kept_by
from fraudstream.dashboards.data.sources import Sources
from fraudstream.dashboards.pages.explorer import layout as explorer_layout
from fraudstream.dashboards.pages.explorer import rejected as explorer_rejected
from fraudstream.dashboards.pages.explorer import view as explorer_view
from fraudstream.dashboards.pages.explorer.layout import PATH, TITLE, layout
from fraudstream.dashboards.ui import panels
from fraudstream.dashboards.ui.errors_shown import answer_or_reason
from fraudstream.dashboards.ui.rendering import request_formats
from fraudstream.dashboards.ui.stored_rows import row

__all__ = ["PATH", "TITLE", "layout", "register"]


_HAS_TEXT_IDS = RULES[ID].kind == "text"
_IDS = f"ids have at most {MOST_ID_CHARACTERS} characters" if _HAS_TEXT_IDS else "ids are whole numbers"


def ids_of(typed: str) -> list[int | str]:
    """The ids that a typed text may mean: as it is, and without the blanks around it; none where it can be no id."""
    if _HAS_TEXT_IDS:
        # Half a character (a surrogate) is in no document, and no request can have it.
        whole = typed.encode("utf-8", "ignore").decode()
        return [id for id in dict.fromkeys((whole, whole.strip())) if 0 < len(id) <= MOST_ID_CHARACTERS]
    number = whole_number(typed.strip())
    return [] if number is None else [number]


def first_stored(sources: Sources, ids: list[int | str]) -> Document | None:
    """The first of these transactions that is stored. Raises :class:`StoreUnavailable`."""
    return next((document for id in ids if (document := sources.lookup.transaction(id)) is not None), None)


def register(app: Dash, sources: Sources) -> None:
    """Register the page's callbacks."""
    explorer_layout.register(app)
    explorer_rejected.register(app, sources)
    mlflow = browser_address(sources.settings)
    model = model_address(mlflow, sources.settings.model_name)

    @app.callback(
        Output("explorer-transaction", "children"),
        *panels.outputs("explorer-transaction-state"),
        Input("explorer-id", "value"),
        Input("explorer-id", "n_submit"),
        Input("explorer-open", "n_clicks"),
    )
    def show_transaction(text: str | None, _submits: int | None, _clicks: int | None) -> tuple[Any, str, str]:
        wanted = str(text or "")
        if not wanted.strip():
            return "", panels.State("empty").class_name, "Type a transaction's id, or choose one on another page."
        ids = ids_of(wanted)
        if not ids:
            return "", panels.State("empty").class_name, f"{printable(wanted.strip(), 40)} is no id: {_IDS}."
        document = answer_or_reason(lambda: first_stored(sources, ids))
        if isinstance(document, str):
            return "", panels.State("failed").class_name, document
        if document is None:
            shown = printable(wanted.strip(), 80)
            note = f"No transaction {shown} is stored. It may have been rejected, or be on its way: see Rejected."
            return "", panels.State("empty").class_name, note
        return explorer_view.transaction(document, request_formats(), model), panels.State("ready").class_name, ""

    # Apart from the transaction, which is shown at once: the broker is asked for the record that it came with.
    @app.callback(
        Output("explorer-arrival", "children"),
        Input("explorer-id", "value"),
        Input("explorer-id", "n_submit"),
        Input("explorer-open", "n_clicks"),
    )
    def show_arrival(text: str | None, _submits: int | None, _clicks: int | None) -> str:
        document = answer_or_reason(lambda: first_stored(sources, ids_of(str(text or ""))))
        way = "" if document is None or isinstance(document, str) else sources.arrivals.way(document)
        return f"It came in {way}." if way else ""

    @app.callback(
        Output("explorer-rows", "rowData"),
        *panels.outputs("explorer-search", "insight"),
        Input("explorer-find", "n_clicks"),
        Input("explorer-value", "n_submit"),
        State("explorer-field", "value"),
        State("explorer-value", "value"),
        State("explorer-where", "value"),
        running=[(Output("explorer-find", "loading"), True, False)],
    )
    def search(
        clicks: int | None, submits: int | None, name: Any, text: str | None, where: Any
    ) -> tuple[Any, str, str, Any]:
        text = str(text or "")
        if not text.strip():
            return [], panels.State("empty").class_name, "Choose a field and type the value to find.", no_update
        if ctx.triggered_id is None and not (clicks or submits) and not text:
            return no_update, panels.State("empty").class_name, "", no_update
        try:
            wanted = criteria([(str(name), text)])
        except ValueError as error:
            return [], panels.State("empty").class_name, f"{error}.", ""
        result = answer_or_reason(
            lambda: sources.lookup.search(
                asked(wanted), frauds_only=where == "alerts", keeps=kept_by(wanted), projection=ROW_PROJECTION
            )
        )
        if not isinstance(result, Rows):
            return [], panels.State("failed").class_name, result, ""
        forms = request_formats()
        rows = [row({**document, "_id": document.get(ID, document["_id"])}, forms) for document in result.documents]
        state = panels.State("ready") if rows else panels.State("empty", f"Nothing found. {result.note}")
        return rows, state.class_name, state.note, f"{len(rows)} rows. {result.note}"
