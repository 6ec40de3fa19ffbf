"""Functions in Python that a project's job calls: its Java process starts Python for them."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fraudstream.asaql.compiling import called_functions
from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.project_files.folder import PythonPlace
from fraudstream.asaql.running.functions import python_place, python_worker
from fraudstream.asaql.strategies.job_query import JobQuery
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.json_text import read_bytes

# As long as it takes, the partition of the record stands still.
CALL_SECONDS = 10

Functions = Mapping[str, Mapping[str, str]]


def python_functions(query: JobQuery, plan: Any) -> Functions:
    """The functions in Python that a plan's JSON calls, by the names that it calls them by.

    A function of a file comes with the file's text: whoever starts Python later gets the same. Raises
    :class:`ConfigurationError` for a file that cannot be read.
    """
    functions: dict[str, Mapping[str, str]] = {}
    for called in called_functions(plan):
        place = _place(query, called.kind, called.name)
        if place is not None and called.name not in functions:
            functions[called.name] = python_place(place) | _text(place)
    return functions


def described_python(query: JobQuery, functions: Functions) -> dict[str, Any] | None:
    """The functions as ``PythonPool.java`` reads them; None for none."""
    if not functions:
        return None
    return python_worker(functions, query.files.folder) | {"seconds": CALL_SECONDS}


def calls_python(query: JobQuery) -> bool:
    """Whether an output that the contract function does not make may call a function in Python."""
    return query.plan is not None and any(
        _place(query, called.kind, called.name) is not None for called in called_functions(query.plan.to_json())
    )


def require_python_allowed(query: JobQuery, *, is_allowed: bool) -> None:
    """Raise :class:`QueryError` at the first call of a function in Python, unless somebody has allowed these."""
    if is_allowed or query.plan is None:
        return
    for called in called_functions(query.plan.to_json()):
        if _place(query, called.kind, called.name) is not None:
            raise QueryError(
                f"udf.{called.name} is in Python, which can do whatever the job can. Look at the project's Functions, "
                "and set FRAUDSTREAM_QUERY_PYTHON=true to let them run; or write it in JavaScript.",
                called.line,
                called.column,
                str(query.files.query_file),
            )


def _place(query: JobQuery, kind: str, name: str) -> PythonPlace | None:
    place = query.files.function(name) if kind == "udf" and name.casefold() not in query.models else None
    return None if place is None or place.script is not None else place.python


def _text(place: PythonPlace) -> dict[str, str]:
    if place.file is None:
        return {}
    try:
        return {"text": importlib.util.decode_source(read_bytes(Path(place.file)))}
    except (SyntaxError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{place.file} is no text in the encoding that it names, or in UTF-8 ({error}). Save it in UTF-8."
        ) from error
