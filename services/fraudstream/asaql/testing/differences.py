"""What differs in a case, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from fraudstream.asaql.testing.comparing import Difference, changed_fields
from fraudstream.asaql.testing.results import MISSING, NOT_EQUAL, UNEXPECTED, CaseResult, OutputResult
from fraudstream.core.output.text import printable

_MOST_DIFFERENCES = 10
_LONGEST_ROW = 300


def result_lines(result: CaseResult) -> Iterator[str]:
    """What is wrong with a case; nothing if it passed."""
    if result.error:
        yield printable(result.error)
    for output in result.outputs:
        yield from _output_lines(output)


def _output_lines(output: OutputResult) -> Iterator[str]:
    if output.kind == MISSING:
        yield f"{output.alias}: the query has no such output"
    elif output.kind == UNEXPECTED:
        yield f"{output.alias}: the case expects nothing of this output; rows that came: {output.rows:,}"
    elif output.kind == NOT_EQUAL and output.difference is not None:
        missing, unexpected = len(output.difference.missing), len(output.difference.unexpected)
        yield f"{output.alias}: of the expected rows {missing:,} did not come; of those that came {unexpected:,} differ"
    else:
        return
    if output.difference is not None:
        yield from _difference_lines(output.difference)


def _difference_lines(difference: Difference) -> Iterator[str]:
    for number, (expected, actual) in enumerate(difference.pairs()):
        if number == _MOST_DIFFERENCES:
            yield "  …"
            return
        if expected is not None:
            yield f"  - {_shown(expected)}"
        if actual is not None:
            yield f"  + {_shown(actual)}"
        if changes := changed_fields(expected, actual):
            yield "    " + "; ".join(f"{name}: {_change(*values)}" for name, values in changes.items())


def _change(expected: Any, actual: Any) -> str:
    if actual is ...:
        return f"{_shown(expected)} expected, and the field is not there"
    if expected is ...:
        return f"not expected, and {_shown(actual)} came"
    return f"{_shown(expected)} expected, {_shown(actual)} came"


def _shown(value: Any) -> str:
    return printable(orjson.dumps(value).decode(), _LONGEST_ROW)
