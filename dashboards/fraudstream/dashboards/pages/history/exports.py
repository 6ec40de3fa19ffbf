"""Figures and rows as files: CSV for people, Parquet for programs. A file's link holds the whole state of the page."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from dash import Dash
from flask import Response, request

from fraudstream.core.errors import StoreUnavailable
from fraudstream.core.output.text import error_text, printable, told_text
from fraudstream.dashboards.data.fields import VALUES
from fraudstream.dashboards.data.sources import Sources
from fraudstream.dashboards.pages.history import cells as export_cells
from fraudstream.dashboards.pages.history.view import CHOICES, Drill, Period, period, report, table
from fraudstream.dashboards.ui.address import Address

PREFIX = "/export"
FORMATS = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
# The longest time that an export waits for the first snapshot after a rest.
_PATIENCE_SECONDS = 10.0
_LONGEST_PROBLEM = 500
_LONGEST_VALUE = 1_000


def report_link(form: str, choice: str, chosen: Period | None) -> str:
    """The address of a file with the report's figures."""
    return f"{PREFIX}/report.{form}?{urlencode(_state(choice, chosen), safe=',')}"


def rows_link(form: str, choice: str, chosen: Period | None, drill: Drill) -> str:
    """The address of a file with a bar's transactions."""
    state = _state(choice, chosen) | {"dimension": drill.dimension, "value": drill.value}
    return f"{PREFIX}/rows.{form}?{urlencode(state, safe=',')}"


def register(app: Dash, sources: Sources) -> None:
    """Register the addresses of the files."""

    def export_report(form: str) -> Response:
        def rows(choice: str, chosen: Period | None, _address: Address) -> Sequence[dict[str, Any]]:
            view = sources.history.look(_PATIENCE_SECONDS)
            if view.snapshot is None or view.problem:
                raise StoreUnavailable(view.problem or "Nothing has been read yet. Try again in a moment.")
            return table(report(view.snapshot, choice, chosen))

        return _file("report", form, rows)

    def export_rows(form: str) -> Response:
        def rows(choice: str, chosen: Period | None, address: Address) -> Sequence[dict[str, Any]]:
            drill = Drill(address.one("dimension", VALUES, "all"), address.text("value", _LONGEST_VALUE))
            if not drill.is_known:
                raise ValueError(f"{printable(drill.value, 80)!r} is no value of {drill.dimension}")
            return sources.lookup.search(drill.criteria(choice, chosen), keeps=drill.keeps).documents

        return _file("rows", form, rows)

    app.server.add_url_rule(f"{PREFIX}/report.<form>", view_func=export_report)
    app.server.add_url_rule(f"{PREFIX}/rows.<form>", view_func=export_rows)


def encoded(rows: Sequence[dict[str, Any]], form: str) -> bytes:
    """Rows as CSV or Parquet; the columns are all fields that any row has."""
    narrow = export_cells.folded(rows)
    fields = list(dict.fromkeys(name for row in narrow for name in row))
    is_csv = form == "csv"
    names = export_cells.distinct(map(export_cells.harmless, fields) if is_csv else fields)
    columns = [
        export_cells.column([export_cells.cell(row.get(field)) for row in narrow], for_spreadsheets=is_csv)
        for field in fields
    ]
    content = pa.Table.from_arrays(columns, names=names)
    sink = io.BytesIO()
    if not is_csv:
        pyarrow.parquet.write_table(content, sink)
        return sink.getvalue()
    pyarrow.csv.write_csv(content, sink)
    written = sink.getvalue()
    # Without this mark Excel reads the file in the machine's own code page.
    return written if written.isascii() else codecs.BOM_UTF8 + written


def _file(name: str, form: str, rows: Callable[[str, Period | None, Address], Sequence[dict[str, Any]]]) -> Response:
    if form not in FORMATS:
        return Response(
            f"{printable(form, 40)} is no export format; there are csv and parquet.\n", 404, mimetype="text/plain"
        )
    address = Address(request.query_string.decode("utf-8", "replace"))
    try:
        content = rows(address.one("origin", CHOICES, "all"), period(address.many("period")), address)
    except StoreUnavailable as error:
        return Response(f"{error_text(error)}\n", 503, mimetype="text/plain")
    except ValueError as error:
        return Response(f"{told_text(str(error), _LONGEST_PROBLEM)}\n", 400, mimetype="text/plain")
    stamp = f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    headers = {"Content-Disposition": f'attachment; filename="fraudstream-{name}-{stamp}.{form}"'}
    return Response(encoded(content, form), mimetype=FORMATS[form], headers=headers)


def _state(choice: str, chosen: Period | None) -> dict[str, str]:
    months = {"period": f"{chosen.first:%Y-%m},{chosen.last:%Y-%m}"} if chosen else {}
    return {"origin": choice, **months}
