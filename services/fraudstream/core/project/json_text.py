"""JSON as people and editors leave it: with a byte order mark, comments and trailing commas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.plain_json import plain_json

_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


class ProjectFileError(ConfigurationError):
    """A file of a query project cannot be read, or an entry of it cannot be used; names the file and the key."""


def read_bytes(file: Path) -> bytes:
    """What a file holds. Raises :class:`ProjectFileError` where it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise ProjectFileError(f"{file} cannot be read ({error.strerror or error}). Name another file.") from error


def read_text(file: Path) -> str:
    """A text file in UTF-8, with or without a byte order mark, or in UTF-16 with one.

    Line ends become line feeds. Raises :class:`ProjectFileError`.
    """
    data = read_bytes(file)
    try:
        text = data.decode(_MARKS.get(data[:2], "utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ProjectFileError(
            f"{file}:{line}: byte {error.start + 1} is not UTF-8. Save the file as UTF-8."
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_json(file: Path) -> Any:
    """The JSON value that a file holds, comments and trailing commas left out. Raises :class:`ProjectFileError`."""
    return parse_json(read_text(file), str(file))


def parse_json(text: str, file: str) -> Any:
    """The same for a text; ``file`` names it in errors. Raises :class:`ProjectFileError` with line and column."""
    try:
        return json.loads(plain_json(text))
    except json.JSONDecodeError as error:
        raise ProjectFileError(f"{file}:{error.lineno}:{error.colno}: this is not JSON: {error.msg}.") from error
    except RecursionError as error:
        raise ProjectFileError(f"{file}: the JSON is nested too deeply. Nest its values less.") from error
