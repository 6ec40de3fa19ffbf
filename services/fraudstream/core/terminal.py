"""What commands write: the one place through which text reaches a terminal.

Rich takes strings for markup and for names of emoji, and terminals obey escape sequences. What commands print holds
what senders, models and clients wrote, so that here a string is text: shown as it is, obeyed by nobody. None of our
secrets gets out, whoever wrote the text that holds it.
"""

from __future__ import annotations

import io
import sys
from typing import Any

from rich.console import Console, RenderableType
from rich.status import Status
from rich.text import Text

from fraudstream.core.redaction import redact, without_known
from fraudstream.core.text import ascii_json, printable_lines, told_text


class Terminal(Console):
    """A console without markup: colours are put on with :func:`styled`."""

    def render_str(self, text: str, **options: Any) -> Text:
        """A string as text: rich asks this for what is printed and for each cell of a table."""
        return super().render_str(told_text(text), **(options | {"markup": False, "emoji": False}))

    def status(self, status: RenderableType, **options: Any) -> Status:
        """A line with a spinner, whose updates are text as well."""
        return _Line(_as_text(status), console=self, **options)


class _Line(Status):
    def update(self, status: RenderableType | None = None, **options: Any) -> None:
        super().update(None if status is None else _as_text(status), **options)


def terminal(*, stderr: bool = False, **options: Any) -> Terminal:
    """The console of stdout or stderr; ``options`` are those of rich's ``Console``."""
    return Terminal(stderr=stderr, **({"highlight": False} | options))


def styled(*parts: str | tuple[str, str]) -> Text:
    """Text of several parts, each a string or (string, style): ``styled(("✓", "green"), " ready")``."""
    shown = [told_text(part) if isinstance(part, str) else (told_text(part[0]), part[1]) for part in parts]
    return Text.assemble(*shown)


def say(text: str, *, err: bool = False) -> None:
    """One line on stdout or stderr."""
    _write(f"{told_text(text)}\n", err=err)


def say_lines(text: str) -> None:
    """Several lines of somebody's text on stdout; it ends where it ends."""
    _write(printable_lines(redact(text)))


def say_json(value: Any) -> None:
    """One JSON object in one line on stdout, in ASCII: exact, whatever the terminal and its encoding are."""
    _write(f"{ascii_json(value, without_known)}\n")


def show_what_cannot_be_encoded() -> None:
    """Escape on stdout and stderr what their encoding lacks, such as ``–`` in ASCII or a Windows code page.

    For the start of a command: without it printing such a character raises ``UnicodeEncodeError``.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _as_text(status: RenderableType) -> RenderableType:
    return styled(status) if isinstance(status, str) else status


def _write(text: str, *, err: bool = False) -> None:
    stream = sys.stderr if err else sys.stdout
    stream.write(text)
    stream.flush()
