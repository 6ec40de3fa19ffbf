"""Figures and rows as files: CSV for people, Parquet for programs. Their links carry the whole state of a page."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import orjson
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from dash import Dash
from flask import Response, request

from fraudstream.core.errors import StoreUnavailable
from fraudstream.dashboards.address import Address
from fraudstream.dashboards.buckets import VALUES
from fraudstream.dashboards.history_view import CHOICES, Drill, Period, period, report, table
from fraudstream.dashboards.sources import Sources

PREFIX = "/export"
FORMATS = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
# A reader of one export waits at most so long for the first snapshot after a pause.
_PATIENCE_SECONDS = 10.0


def report_link(form: str, choice: str, chosen: Period | None) -> str:
    """The address of the report's figures as a file."""
    return f"{PREFIX}/report.{form}?{urlencode(_state(choice, chosen), safe=',')}"


def rows_link(form: str, choice: str, chosen: Period | None, drill: Drill) -> str:
    """The address of a bar's transactions as a file."""
    state = _state(choice, chosen) | {"dimension": drill.dimension, "value": drill.value}
    return f"{PREFIX}/rows.{form}?{urlencode(state, safe=',')}"


def register(app: Dash, sources: Sources) -> None:
    """The addresses of the files."""

    def export_report(form: str) -> Response:
        def made(choice: str, chosen: Period | None, _address: Address) -> Sequence[dict[str, Any]]:
            view = sources.history.look(_PATIENCE_SECONDS)
            if view.snapshot is None or view.problem:
                raise StoreUnavailable(view.problem or "Nothing has been read yet. Try again in a moment.")
            return table(report(view.snapshot, choice, chosen))

        return _file("report", form, made)

    def export_rows(form: str) -> Response:
        def made(choice: str, chosen: Period | None, address: Address) -> Sequence[dict[str, Any]]:
            drill = Drill(address.one("dimension", VALUES, "all"), address.text("value"))
            if not drill.known:
                raise ValueError(f"{drill.value!r} is no value of {drill.dimension}")
            found = sources.lookup.search(drill.criteria(choice, chosen), keeps=drill.keeps)
            return [flat(document) for document in found.documents]

        return _file("rows", form, made)

    app.server.add_url_rule(f"{PREFIX}/report.<form>", view_func=export_report)
    app.server.add_url_rule(f"{PREFIX}/rows.<form>", view_func=export_rows)


def flat(document: dict[str, Any]) -> dict[str, Any]:
    """A document as one row: what is nested becomes JSON text."""
    return {
        name: orjson.dumps(value, default=str).decode() if isinstance(value, dict | list) else value
        for name, value in document.items()
    }


def encoded(rows: Sequence[dict[str, Any]], form: str) -> bytes:
    """Rows as CSV or Parquet; columns are the union of the rows' fields."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    content = pa.table({name: _column([row.get(name) for row in rows]) for name in columns})
    sink = io.BytesIO()
    if form == "csv":
        pyarrow.csv.write_csv(content, sink)
    else:
        pyarrow.parquet.write_table(content, sink)
    return sink.getvalue()


def _column(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        # A sender's own field may be of any type, from one event to the next.
        return pa.array([None if value is None else str(value) for value in values])


def _file(name: str, form: str, rows: Callable[[str, Period | None, Address], Sequence[dict[str, Any]]]) -> Response:
    if form not in FORMATS:
        return Response(f"{form} is no export format; there are csv and parquet.\n", 404, mimetype="text/plain")
    address = Address(request.query_string.decode("utf-8", "replace"))
    try:
        made = rows(address.one("origin", CHOICES, "all"), period(address.many("period")), address)
    except StoreUnavailable as error:
        return Response(f"{error}\n", 503, mimetype="text/plain")
    except ValueError as error:
        return Response(f"{error}\n", 400, mimetype="text/plain")
    stamp = f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    headers = {"Content-Disposition": f'attachment; filename="fraudstream-{name}-{stamp}.{form}"'}
    return Response(encoded(made, form), mimetype=FORMATS[form], headers=headers)


def _state(choice: str, chosen: Period | None) -> dict[str, str]:
    months = {"period": f"{chosen.first:%Y-%m},{chosen.last:%Y-%m}"} if chosen else {}
    return {"origin": choice, **months}
