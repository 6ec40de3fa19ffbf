"""What commands write: the one place through which text reaches a terminal.

Rich takes strings for markup and for names of emoji, and terminals obey escape sequences. What commands print holds
what senders, models and clients wrote, so that here a string is text: shown as it is, obeyed by nobody. None of our
secrets gets out, whoever wrote the text that holds it.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType
from rich.status import Status
from rich.text import Text

from fraudstream.core.errors import FraudstreamError
from fraudstream.core.output.redaction import redact, without_known
from fraudstream.core.output.text import ascii_json, printable_lines, told_text


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


def write_file(file: Path, text: str) -> None:
    """What somebody asked to have in a file. Raises :class:`FraudstreamError` where it cannot be written."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    except OSError as error:
        raise FraudstreamError(f"{file} cannot be written ({error.strerror or error}). Name another file.") from error


def prepare_output() -> None:
    """Make stdout and stderr take whatever is printed, or fail with one line; for the start of a command.

    What their encoding lacks, such as ``–`` in ASCII or a Windows code page, is escaped: it would raise
    ``UnicodeEncodeError``. A device that takes no more raises :class:`FraudstreamError`, also out of the help.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            setattr(sys, name, _Output(stream))


class _Output(io.TextIOWrapper):
    """One of the two streams; once its device has failed, whatever is written to it is refused likewise."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        stream.flush()
        # One that nobody else holds, as where the stream was closed, would take its buffer along when it goes.
        self._wrapped = stream
        self._failure: FraudstreamError | None = None
        super().__init__(
            stream.buffer,
            stream.encoding,
            "backslashreplace",
            line_buffering=stream.line_buffering,
            write_through=stream.write_through,
        )

    def write(self, text: str, /) -> int:
        # Libraries try a stream out with an empty text, and overlook that it fails.
        if self._failure is not None:
            raise self._failure
        with self._told():
            return super().write(text)

    def flush(self) -> None:
        with self._told():
            super().flush()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            # Whoever read has seen enough, which is no failure to tell.
            raise
        except OSError as error:
            # Python writes what is left once more at its end, and would fail of it.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            self._failure = FraudstreamError(
                f"The output cannot be written to {self.name} ({error.strerror or error}). "
                "Free some room there, or send it elsewhere."
            )
            raise self._failure from error


def _as_text(status: RenderableType) -> RenderableType:
    return styled(status) if isinstance(status, str) else status


def _write(text: str, *, err: bool = False) -> None:
    stream = sys.stderr if err else sys.stdout
    stream.write(text)
    stream.flush()
