"""What kind of file it is, and its text."""

from __future__ import annotations

import codecs
import gzip
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal, cast

from fraudstream.core.errors import ConfigurationError

Kind = Literal["csv", "jsonl", "json", "parquet"]

_GZIP = b"\x1f\x8b"
# Beginnings of files that are none of these, and what to do with them.
_OTHERS = {
    b"PK\x03\x04": "a ZIP archive or an Excel workbook. Unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook. Save the sheet as CSV",
    b"BZh": "packed with bzip2. Unpack it, or pack it with gzip",
    b"\xfd7zXZ": "packed with xz. Unpack it, or pack it with gzip",
    b"\x28\xb5\x2f\xfd": "packed with zstd. Unpack it, or pack it with gzip",
    b"Obj\x01": "an Avro file. Convert it to Parquet",
    b"ORC": "an ORC file. Convert it to Parquet",
    b"ARROW1": "an Arrow file. Convert it to Parquet",
    b"SQLite format 3": "a SQLite database. Export the table as CSV",
    b"%PDF": "a PDF. Export the table as CSV",
}
_BEGINNING = 64 * 1024
_LATIN = "fraudstream-latin-1"


def _as_latin(error: UnicodeError) -> tuple[str, int]:
    """Bytes that are no UTF-8 as Windows' Latin characters, which files have that are not UTF-8."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252", "replace"), error.end


codecs.register_error(_LATIN, _as_latin)


@contextmanager
def opened(file: Path) -> Iterator[IO[bytes]]:
    """The file's bytes, unpacked where it is packed with gzip. Raises :class:`ConfigurationError`."""
    try:
        with file.open("rb") as stream:
            is_packed = stream.read(2) == _GZIP
            stream.seek(0)
            if is_packed:
                with gzip.open(stream) as unpacked:
                    yield cast("IO[bytes]", unpacked)
            else:
                yield stream
    except (OSError, EOFError) as error:
        raise ConfigurationError(
            f"{file} cannot be read ({getattr(error, 'strerror', None) or error}). Name a file of transactions: CSV, "
            "JSON lines, a JSON array or Parquet."
        ) from None


@contextmanager
def opened_text(file: Path) -> Iterator[IO[str]]:
    """The file's text, its line ends as they are. Raises :class:`ConfigurationError`."""
    with opened(file) as stream:
        buffered = cast("io.BufferedReader", stream)
        text = io.TextIOWrapper(buffered, _encoding(buffered.peek(_BEGINNING)[:_BEGINNING]), _LATIN, newline="")
        try:
            yield text
        finally:
            text.detach()


def kind_of(file: Path) -> Kind:
    """What the file holds, by its content. Raises :class:`ConfigurationError` for what cannot be read."""
    with opened(file) as stream:
        beginning = stream.read(_BEGINNING)
    for mark, description in _OTHERS.items():
        if beginning.startswith(mark):
            raise ConfigurationError(f"{file} is {description}.")
    if beginning.startswith(b"PAR1"):
        return "parquet"
    text = beginning.decode(_encoding(beginning), "ignore").lstrip("\ufeff \t\r\n")
    if not text:
        raise ConfigurationError(f"{file} is empty. Name a file of transactions.")
    return {"{": "jsonl", "[": "json"}.get(text[0], "csv")  # type: ignore[return-value]


def _encoding(beginning: bytes) -> str:
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # Latin letters in UTF-16: each second byte is NUL.
    for encoding, first in (("utf-16-le", 1), ("utf-16-be", 0)):
        sample = beginning[first:4096:2]
        if len(beginning) > 1 and sample and sample.count(0) > len(sample) * 0.7:
            return encoding
    return "utf-8-sig"
