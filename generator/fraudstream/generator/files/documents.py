"""JSON: one object a line, or an array of objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from fraudstream.core.contract.exact_json import beginning
from fraudstream.core.errors import ConfigurationError
from fraudstream.generator.files.opening import opened_text

_SPACE = " \t\r\n"


class Documents:
    """A JSON file, ``is_array`` or one of lines."""

    def __init__(self, file: Path, is_array: bool) -> None:
        self._file = file
        self._is_array = is_array

    def texts(self, start: int = 0) -> Iterator[str]:
        """The text of each event from a place on (from 0), as it stands in the file.

        Raises :class:`ConfigurationError` where an array is broken, or a first line is no JSON.
        """
        return islice(self._items() if self._is_array else self._lines(), start, None)

    def _lines(self) -> Iterator[str]:
        with opened_text(self._file) as text:
            is_first = True
            for line in text:
                stripped = line.strip(_SPACE)
                if not stripped:
                    continue
                if is_first:
                    self._require_object(stripped)
                    is_first = False
                yield stripped

    def _require_object(self, line: str) -> None:
        try:
            json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ConfigurationError(
                f"{self._file}: its first line is no JSON object ({error}): {beginning(line)}. Write one event a line, "
                "or all as one array: `jq -c .` makes lines of it."
            ) from None

    def _items(self) -> Iterator[str]:
        with opened_text(self._file) as stream:
            text = stream.read()
        decoder = json.JSONDecoder()
        at = _after_space(text, text.index("[") + 1)
        while text[at : at + 1] != "]":
            try:
                _, end = decoder.raw_decode(text, at)
            except (ValueError, RecursionError) as error:
                raise ConfigurationError(f"{self._file} is no JSON array: {error}.") from None
            yield text[at:end]
            at = _after_space(text, end)
            if text[at : at + 1] == ",":
                at = _after_space(text, at + 1)
            elif text[at : at + 1] != "]":
                sign = beginning(text[at:]) or "nothing"
                raise ConfigurationError(
                    f"{self._file} is no JSON array: at character {at + 1} stands {sign!r} in place of a comma or `]`."
                )


def _after_space(text: str, at: int) -> int:
    while text[at : at + 1] and text[at] in _SPACE:
        at += 1
    return at
