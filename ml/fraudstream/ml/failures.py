"""Errors of the training libraries in one line: their own texts hold stack traces of several processes."""

from __future__ import annotations

from fraudstream.core.output.redaction import redact
from fraudstream.core.output.text import printable

_LONGEST = 400
# First lines of the texts of Py4J and Spark, which stand before the cause.
_PREAMBLE = ("An error occurred while calling", "An exception was thrown from the Python worker")


def one_line(error: BaseException) -> str:
    """The error's class and the first line of its text that names a cause, without secrets of the settings."""
    lines = [line.strip().removeprefix(": ") for line in redact(str(error)).splitlines()]
    cause = next((line for line in lines if line and not line.startswith(_PREAMBLE)), "")
    return printable(f"{type(error).__name__}: {cause}" if cause else type(error).__name__, _LONGEST)
