"""Finds what a fast parser loses of a body: the first of two equal names, digits that it rounds.

For nearly all bodies a search of their bytes shows that nothing is lost. Only the others are parsed a second time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fraudstream.core.contract.event import FEATURES, FIELD_RULES
from fraudstream.core.contract.exact_json import Object, as_written, is_kept
from fraudstream.core.contract.field_rules import ROUNDED_DIGITS
from fraudstream.core.errors import ScoringRejected
from fraudstream.core.output.text import printable

Bytes = npt.NDArray[np.uint8]

_NUMBERS = tuple(rule.name for rule in FIELD_RULES if rule.name in FEATURES and rule.kind in ("int", "float"))
_LONGEST_SHOWN_VALUE = 60
# Up to this size, Python's own search is faster than a call of numpy.
_FEW_BYTES = 4096
_AS_DIGITS = bytes.maketrans(b"123456789.", b"0000000000")
_MANY_DIGITS = b"0" * 16
# The characters from "." to "9": the point, "/" and the digits.
_DIGITS = 12
# Four bytes that are 1 each.
_FOUR = 0x01010101


def is_read_whole(body: bytes, names: int, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a fast parser kept all of a body, in which it found ``rows`` and, outside of them, ``names`` names.

    False also if that is not certain.
    """
    # A negative exponent can make a number so small that digits are lost although it has fewer than sixteen. Numbers
    # that are too large are refused elsewhere.
    if b"-" in body and (b"e-" in body or b"E-" in body):
        return False
    if len(body) <= _FEW_BYTES:
        has_many_digits, colons = _MANY_DIGITS in body.translate(_AS_DIGITS), body.count(b":")
    else:
        text = np.frombuffer(body, np.uint8)
        has_many_digits, colons = _has_many_digits(text), int(np.count_nonzero(text == ord(":")))
    if has_many_digits:
        return False
    # Each name has a colon, a repeated one as well, and texts may have more. Usual rows have no names but the features.
    if colons == names + len(FEATURES) * len(rows):
        return True
    return _has_so_many_names(body, names + sum(map(len, rows)))


def _has_many_digits(text: Bytes) -> bool:
    """Whether there are sixteen digits in a row."""
    # Rows have names between their numbers, so first look for long runs without letters and colons. Wherever a run of
    # sixteen begins, it covers three aligned groups of four.
    close = text < ord(":")
    fours = close[: len(close) // 4 * 4].view(np.uint32) == _FOUR
    if not (fours[2:] & fours[1:-1] & fours[:-2]).any():
        return False
    digits = text - np.uint8(ord(".")) < _DIGITS
    for more in (1, 2, 4, 8):
        digits = digits[more:] & digits[:-more]
    return bool(digits.any())


def _has_so_many_names(body: bytes, names: int) -> bool:
    """Whether the body has ``names`` names: quotes with a colon right behind them. False if a space may be between."""
    if b"\\" in body:
        return False
    text = np.frombuffer(body, np.uint8)
    before = text[np.flatnonzero(text == ord(":")) - 1]
    return bool(np.count_nonzero(before == ord('"')) == names and not (before <= ord(" ")).any())


def require_kept(body: bytes, path: tuple[str, ...]) -> None:
    """Raise :class:`ScoringRejected` for a repeated name, or for a feature's number that loses digits.

    ``path``: the names that lead to the rows, or to the table with ``columns`` and ``data``. The body has been read
    already and has no other fault.
    """
    try:
        value = as_written(body.decode())
    except RecursionError:
        raise ScoringRejected("The body is nested too deeply; send rows of plain values.") from None
    where = "The body"
    for name in path:
        value, where = _only(value, name, where), name
    for number, row in _rows(value, where):
        for name in _NUMBERS:
            if not is_kept(row[name]):
                shown = printable(row[name], _LONGEST_SHOWN_VALUE)
                raise ScoringRejected(f"row {number}: {name}: {ROUNDED_DIGITS}, got {shown}.")


def _only(fields: Object, name: str, where: str) -> Any:
    values = [value for given, value in fields if given == name]
    if len(values) > 1:
        raise ScoringRejected(f"{where} has {name} more than once; send it once.")
    return values[0] if values else None


def _rows(value: Any, where: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    if isinstance(value, Object):
        columns, rows = _only(value, "columns", where), _only(value, "data", where)
        yield from ((number, dict(zip(columns, row, strict=True))) for number, row in enumerate(rows))
        return
    for number, row in enumerate(value):
        fields = dict(row)
        if len(fields) < len(row):
            names = [name for name, _ in row]
            repeated = next((name for name in FEATURES if names.count(name) > 1), None)
            if repeated is not None:
                raise ScoringRejected(f"row {number}: {repeated}: stands more than once; name each field once.")
        yield number, fields
