"""Reading a part's log from its end, also while it grows and is rotated."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

_POLL_SECONDS = 0.2


def last_lines(file: Path, count: int) -> list[str]:
    """The last ``count`` lines, without line ends."""
    with file.open("r", encoding="utf-8", errors="replace") as text:
        return [line.rstrip("\n") for line in deque(text, maxlen=count)]


def follow_file(file: Path) -> Iterator[str]:
    """What is appended to the file from now on, also after it was rotated; never ends."""
    stream = file.open("r", encoding="utf-8", errors="replace")
    try:
        stream.seek(0, 2)
        while True:
            if text := stream.read():
                yield text
                continue
            time.sleep(_POLL_SECONDS)
            if _replaced(file, stream.fileno()):
                stream.close()
                stream = file.open("r", encoding="utf-8", errors="replace")
    finally:
        stream.close()


def _replaced(file: Path, descriptor: int) -> bool:
    try:
        return file.stat().st_ino != os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False
