"""How the binder refuses: an error at the place of a node of the tree."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from fraudstream.asaql.errors import DEFAULT_FILE, QueryError
from fraudstream.asaql.plan.nodes import Pos


def refusal(reason: str, position: Pos | None) -> QueryError:
    """An error at a place of the text; the name of the file is added where it is known (:func:`in_file`)."""
    line, column = position or (1, 1)
    return QueryError(reason, line, column)


def in_file(error: QueryError, file: str) -> QueryError:
    """The error with the name of the file in its message."""
    return error if file == DEFAULT_FILE else QueryError(error.reason, error.line, error.column, file)


def nearest(name: str, known: Iterable[str]) -> str:
    """`` Did you mean x?`` for the known name that is like this one, else nothing."""
    names = {each.lower(): each for each in known}
    near = get_close_matches(name.lower(), names, 1, 0.6)
    return f" Did you mean {names[near[0]]}?" if near else ""


def listed(names: Iterable[str]) -> str:
    """Names as an error lists them: the first eight, and how many more there are."""
    all_names = list(names)
    more = f" and {len(all_names) - 8} more" if len(all_names) > 8 else ""
    return ", ".join(all_names[:8]) + more
