"""Errors of the libraries that train, in one line: theirs hold stack traces of several processes."""

from __future__ import annotations

from fraudstream.core.output.redaction import redact
from fraudstream.core.output.text import printable

_LONGEST = 400
# What precedes the cause: Py4J's first line, and the marks before an exception of Java's.
_PREAMBLE = ("An error occurred while calling", "An exception was thrown from the Python worker")


def one_line(error: BaseException) -> str:
    """The error's kind and the first line of its text that tells a cause, without our secrets."""
    lines = [line.strip().removeprefix(": ") for line in redact(str(error)).splitlines()]
    cause = next((line for line in lines if line and not line.startswith(_PREAMBLE)), "")
    return printable(f"{type(error).__name__}: {cause}" if cause else type(error).__name__, _LONGEST)
