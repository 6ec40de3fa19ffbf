"""What the stream job's Java process reads of a project's query: one file of JSON, named by its content."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from fraudstream.asaql.strategies.job_query import JobQuery
from fraudstream.asaql.strategies.outputs import CONTRACT
from fraudstream.core.contract.topics import ALERTS, SCORED
from fraudstream.core.errors import ConfigurationError

VERSION = 1


def job_json(query: JobQuery) -> str:
    """The query as the Java side reads it. Raises :class:`QueryError` for a call of a function without a script."""
    by_contract = {output.topic for output in query.outputs if output.strategy == CONTRACT}
    return json.dumps(
        {
            "version": VERSION,
            "scored": SCORED if SCORED in by_contract else None,
            "alerts": ALERTS if ALERTS in by_contract else None,
            "rows": _rows(query),
        },
        allow_nan=False,
    )


def job_file(folder: Path, query: JobQuery) -> Path:
    """The file, in a folder that is made; on a cluster it has to be one that all executors see.

    Raises :class:`ConfigurationError` where it cannot be written, :class:`QueryError` as :func:`job_json` does.
    """
    text = job_json(query)
    file = folder / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
    try:
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            partial = file.with_name(f"{file.name}.{os.getpid()}")
            partial.write_text(text, "utf-8")
            partial.replace(file)
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be written ({error.strerror or error}). Make FRAUDSTREAM_DATA_DIR a folder that can be."
        ) from error
    return file


def _rows(query: JobQuery) -> dict[str, Any] | None:
    if not query.has_rows:
        return None
    from fraudstream.asaql.strategies.rows import rows_json

    return rows_json(query)


def calls_scripts(query: JobQuery) -> bool:
    """Whether rows call functions in JavaScript. Raises as :func:`job_json` does."""
    rows = _rows(query)
    return bool(rows and rows["functions"])
