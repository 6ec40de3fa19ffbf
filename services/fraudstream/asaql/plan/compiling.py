"""From the text of a query file to its plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from fraudstream.asaql.errors import DEFAULT_FILE, QueryError
from fraudstream.asaql.plan.binding.jobs import InputKind, bound_job
from fraudstream.asaql.plan.faults import in_file
from fraudstream.asaql.plan.nodes import Plan
from fraudstream.asaql.text import tree
from fraudstream.asaql.text.parser import parse

LEVELS = ("1.0", "1.1", "1.2")
Dialect = Literal["asa", "fabric"]


def bind(
    job: tree.Job,
    inputs: Mapping[str, InputKind] | None = None,
    *,
    references: Iterable[str] = (),
    level: str = "1.2",
    dialect: Dialect = "asa",
    file: str = DEFAULT_FILE,
) -> Plan:
    """The plan of a tree.

    With ``inputs``, the names of all inputs and their kinds, any other name in FROM is an error. Without, a name that
    is no step is a stream, unless it stands in ``references``. ``level`` is the job's compatibility level. Raises
    :class:`~fraudstream.asaql.errors.QueryError` for what is not in the language, at its place in ``file``.
    """
    if level not in LEVELS:
        raise QueryError(f"There is no compatibility level {level}. Use one of {', '.join(LEVELS)}.", 1, 1, file)
    try:
        return bound_job(job, inputs, tuple(references), level, dialect)
    except QueryError as error:
        raise in_file(error, file) from None
    except RecursionError:
        raise QueryError("The query is nested too deeply. Split it into steps, in WITH.", 1, 1, file) from None


def compile_text(
    text: str,
    file: str = DEFAULT_FILE,
    *,
    inputs: Mapping[str, InputKind] | None = None,
    references: Iterable[str] = (),
    level: str = "1.2",
    dialect: Dialect = "asa",
) -> Plan:
    """The plan of a query file's text: :func:`bind` of what it says."""
    job = parse(text, file)
    return bind(job, inputs, references=references, level=level, dialect=dialect, file=file)
