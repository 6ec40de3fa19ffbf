"""Reading a part's log from its end, also while it grows and is rotated."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from fraudstream.core.errors import RuntimePartError

_POLL_SECONDS = 0.2


def logs_in(folder: Path) -> dict[str, Path]:
    """The folder's logs by the names of their parts. Raises :class:`RuntimePartError`."""
    try:
        return {file.stem: file for file in sorted(folder.glob("*.log"))}
    except OSError as error:
        raise _unreadable(folder, error) from error


def last_lines(file: Path, count: int) -> list[str]:
    """The last ``count`` lines, without line ends."""
    with _opened(file) as text:
        return [line.rstrip("\r\n") for line in deque(text, maxlen=count)]


def follow_file(file: Path) -> Iterator[str]:
    """What is appended to the file from now on, also after it was rotated; never ends."""
    stream = _opened(file)
    try:
        stream.seek(0, 2)
        while True:
            if text := stream.read():
                yield text
                continue
            time.sleep(_POLL_SECONDS)
            if _replaced(file, stream.fileno()):
                stream.close()
                stream = _opened(file)
    finally:
        stream.close()


def _opened(file: Path) -> TextIO:
    try:
        # Only a line feed ends a line: a carriage return in somebody's text is shown, not taken for an end.
        return file.open("r", encoding="utf-8", errors="replace", newline="\n")
    except OSError as error:
        raise _unreadable(file, error) from error


def _unreadable(place: Path, error: OSError) -> RuntimePartError:
    return RuntimePartError(
        f"{place} cannot be read ({error.strerror}). Ask as the user who started the parts, or check "
        "FRAUDSTREAM_DATA_DIR."
    )


def _replaced(file: Path, descriptor: int) -> bool:
    try:
        return file.stat().st_ino != os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False
