"""Stored documents, read so that none of them makes the reader of the others fail.

Documents may be older than today's checks, or written by other programs: fields are missing, have another type, are no
finite number, are nested too deeply to be decoded. Here each value becomes one that can be used or shown, or None.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import bson
from bson import DBRef, Decimal128
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.datetime_ms import DatetimeMS
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

from fraudstream.core.output.distinct_names import DistinctNames
from fraudstream.core.output.text import printable

# For a client's `document_class`: documents come as bytes and are decoded one by one, by :func:`read`.
RAW: Any = RawBSONDocument
LONGEST_TEXT = 200

_OPTIONS: CodecOptions[dict[str, Any]] = CodecOptions(
    tz_aware=True,
    tzinfo=UTC,
    unicode_decode_error_handler="replace",
    # A moment beyond Python's years is given as its milliseconds.
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
)
_UNREADABLE = (BSONError, RecursionError, ValueError, OverflowError, TypeError)
NOT_FINITE = "not a finite number"
TOO_DEEP = "nested too deeply to be shown"
MOST_INTEGER = 2**63 - 1
_LONGEST_MS = 3.2e12

# Sizes of BSON's values by type (bsonspec.org, version 1.1); those that name their own length are in :func:`_end`.
_FIXED = {0x01: 8, 0x06: 0, 0x07: 12, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8, 0x13: 16, 0x7F: 0, 0xFF: 0}


def read(document: Mapping[str, Any]) -> dict[str, Any]:
    """A document as a dictionary; a field that cannot be decoded says so, the others have their values."""
    if not isinstance(document, RawBSONDocument):
        return dict(document)
    try:
        return bson.decode(document.raw, _OPTIONS)
    except _UNREADABLE:
        return dict(_fields(bytes(document.raw)))


def read_all(documents: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Documents one by one, as :func:`read` gives them."""
    return map(read, documents)


def size(document: Mapping[str, Any]) -> int:
    """A document's bytes; 0 where it did not come as bytes."""
    return len(document.raw) if isinstance(document, RawBSONDocument) else 0


def number(value: Any) -> float | None:
    """A finite number; None for anything else."""
    try:
        if isinstance(value, Decimal128):
            value = float(value.to_decimal())
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        # A whole number stays one: beyond 2^53 a float is another number.
        return value if math.isfinite(value) else None
    except (OverflowError, ValueError, ArithmeticError):
        return None


def whole(value: Any) -> int | None:
    """A whole number of 64 bits; None for anything else."""
    finite = number(value)
    if finite is None or finite != int(finite) or abs(finite) > MOST_INTEGER:
        return None
    return int(finite)


def milliseconds(value: Any) -> float | None:
    """A latency; None for anything else, more than a hundred years among it."""
    latency = number(value)
    return None if latency is None or abs(latency) > _LONGEST_MS else float(latency)


def moment(value: Any) -> datetime | None:
    """A moment in UTC; None for anything else, moments beyond the years 1 to 9999 among it."""
    if not isinstance(value, datetime):
        return None
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:
        return None


def text(value: Any, longest: int = LONGEST_TEXT) -> str:
    """A value in one printable line of at most so many characters."""
    if isinstance(value, str):
        return printable(value, longest)
    simple = plain(value)
    return printable(simple if isinstance(simple, str) else json.dumps(simple, ensure_ascii=False), longest)


@dataclass(slots=True)
class _Room:
    """What is left of a bound on values and characters."""

    values: int
    characters: int


def plain(value: Any, *, depth: int = 40, values: int = 2_000, characters: int = 200_000, longest: int = 4_000) -> Any:
    """A value as JSON has it, within bounds; a note stands in the place of what is left out.

    ``depth`` bounds the nesting, ``values`` and ``characters`` the whole, ``longest`` each text.
    """
    return _plain(value, depth, _Room(values, characters), longest)


def _plain(value: Any, depth: int, room: _Room, longest: int) -> Any:
    room.values -= 1
    if isinstance(value, DBRef):
        value = value.as_doc()
    if isinstance(value, Mapping):
        return _plain_object(value, depth, room, longest) if depth else TOO_DEEP
    if isinstance(value, list | tuple):
        return _plain_list(value, depth, room, longest) if depth else TOO_DEEP
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else NOT_FINITE
    shown = _as_text(value, longest)
    room.characters -= len(shown)
    return shown if room.characters >= 0 else "…"


def _plain_object(value: Mapping[Any, Any], depth: int, room: _Room, longest: int) -> dict[str, Any]:
    members: dict[str, Any] = {}
    # Two long names may begin alike.
    names = DistinctNames("′")
    for count, (name, part) in enumerate(value.items()):
        if room.values <= 0 or room.characters <= 0:
            members[names.given(f"… {len(value) - count:,} more")] = "not shown"
            break
        shown = names.given(printable(str(name), LONGEST_TEXT))
        room.characters -= len(shown)
        members[shown] = _plain(part, depth - 1, room, longest)
    return members


def _plain_list(value: list[Any] | tuple[Any, ...], depth: int, room: _Room, longest: int) -> list[Any]:
    items: list[Any] = []
    for count, part in enumerate(value):
        if room.values <= 0 or room.characters <= 0:
            items.append(f"… {len(value) - count:,} more, not shown")
            break
        items.append(_plain(part, depth - 1, room, longest))
    return items


def _as_text(value: Any, longest: int) -> str:
    match value:
        case str():
            return printable(value, longest)
        case bytes():
            return f"{len(value):,} bytes: {value[:32].hex(' ')}" + (" …" if len(value) > 32 else "")
        case datetime():
            return value.isoformat()
        case DatetimeMS():
            return f"{int(value)} ms since 1970"
        case Decimal128():
            return str(value) if value.to_decimal().is_finite() else NOT_FINITE
        case _:
            return printable(str(value), longest)


def _fields(raw: bytes) -> Iterator[tuple[str, Any]]:
    """The fields of a document that cannot be decoded as a whole, each by itself."""
    place = 4
    while place < len(raw) and raw[place]:
        kind, name_ends = raw[place], raw.index(b"\0", place + 1)
        ends = _end(raw, kind, name_ends + 1)
        element = raw[place:ends]
        if ends <= name_ends or ends > len(raw):
            return
        alone = (len(element) + 5).to_bytes(4, "little") + element + b"\0"
        name = raw[place + 1 : name_ends].decode("utf-8", "replace")
        try:
            yield name, next(iter(bson.decode(alone, _OPTIONS).values()))
        except RecursionError:
            yield name, TOO_DEEP
        except _UNREADABLE as error:
            yield name, TOO_DEEP if "recursion" in str(error).lower() else "cannot be decoded"
        place = ends


def _end(raw: bytes, kind: int, begins: int) -> int:
    if kind in _FIXED:
        return begins + _FIXED[kind]
    length = int.from_bytes(raw[begins : begins + 4], "little")
    if kind in (0x02, 0x0D, 0x0E):  # texts
        return begins + 4 + length
    if kind == 0x05:  # bytes, of a subtype
        return begins + 5 + length
    if kind == 0x0B:  # a regular expression: two texts that end in a zero
        return raw.index(b"\0", raw.index(b"\0", begins) + 1) + 1
    if kind == 0x0C:  # a text and an ObjectId
        return begins + 16 + length
    return begins + length  # documents, arrays and code with its scope count their own four bytes
