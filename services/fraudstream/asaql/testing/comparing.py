"""Expected and actual rows of an output, compared as multisets.

Numbers are equal by value, floats to 12 digits; texts that are moments in UTC are equal with and without the zeros that
end their fractions. Anything else is equal only as it stands, names of fields included.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from fraudstream.core.project.json_text import ProjectFileError, parse_json, read_text

_DIGITS = 12
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d*?)0*)?Z")
_BETWEEN = re.compile(r"[\s,]*")


@dataclass(frozen=True, slots=True)
class Difference:
    """Rows that one side has and the other lacks."""

    missing: Sequence[Any]
    unexpected: Sequence[Any]

    @property
    def is_none(self) -> bool:
        """Whether both sides have the same rows."""
        return not self.missing and not self.unexpected

    def pairs(self) -> Iterator[tuple[Any, Any]]:
        """Missing rows beside the unexpected ones that are most like them; None where a side has no more."""
        left = list(self.unexpected)
        for missing in self.missing:
            best = max(left, key=lambda row: _likeness(missing, row), default=None)
            if best is not None and _likeness(missing, best) > 0:
                left.remove(best)
                yield missing, best
            else:
                yield missing, None
        yield from ((None, row) for row in left)


def compare(expected: Sequence[Any], actual: Sequence[Any]) -> Difference:
    """What of ``expected`` is missing in ``actual``, and what there is beside it."""
    counted = Counter(map(_comparable, actual))
    missing = []
    for row in expected:
        key = _comparable(row)
        if counted[key] > 0:
            counted[key] -= 1
        else:
            missing.append(row)
    unexpected = []
    for row in actual:
        key = _comparable(row)
        if counted[key] > 0:
            counted[key] -= 1
            unexpected.append(row)
    return Difference(missing, unexpected)


def without(rows: Sequence[Any], ignored: Collection[str]) -> list[Any]:
    """The rows without these columns, which are named in any case."""
    folded = {name.casefold() for name in ignored}
    return [
        {name: value for name, value in row.items() if name.casefold() not in folded} if isinstance(row, dict) else row
        for row in rows
    ]


def changed_fields(expected: Any, actual: Any) -> dict[str, tuple[Any, Any]]:
    """The fields that two rows do not agree in, with both values; ``...`` for a field that one lacks."""
    if not isinstance(expected, dict) or not isinstance(actual, dict):
        return {}
    names = dict.fromkeys((*expected, *actual))
    values = {name: (expected.get(name, ...), actual.get(name, ...)) for name in names}
    return {name: pair for name, pair in values.items() if _comparable(pair[0]) != _comparable(pair[1])}


def read_expected(file: Path) -> list[Any]:
    """The rows of a file: JSON lines, an array, or objects one after the other; none for an empty file.

    Raises :class:`ProjectFileError`.
    """
    text = read_text(file)
    try:
        return [orjson.loads(line) for line in text.splitlines() if line.strip()]
    except orjson.JSONDecodeError:
        pass
    stripped = text.strip()
    if stripped.startswith("["):
        rows = parse_json(text, str(file))
        return rows if isinstance(rows, list) else [rows]
    return list(_one_after_another(stripped, file))


def _one_after_another(text: str, file: Path) -> Iterator[Any]:
    import json

    decoder = json.JSONDecoder()
    at = 0
    while at < len(text):
        try:
            row, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise ProjectFileError(f"{file}:{error.lineno}:{error.colno}: this is not JSON: {error.msg}.") from error
        yield row
        between = _BETWEEN.match(text, at)
        at = between.end() if between else at


def _comparable(value: Any) -> Hashable:
    match value:
        case bool() | None:
            return ("literal", value)
        case int() | float():
            return ("number", _rounded(value))
        case str():
            moment = _MOMENT.fullmatch(value)
            return ("moment", moment[1], moment[2] or "") if moment else ("text", value)
        case dict():
            return ("object", frozenset((name, _comparable(part)) for name, part in value.items()))
        case list():
            return ("array", tuple(map(_comparable, value)))
        case _:
            return ("nothing",)


def _rounded(number: float) -> float | str:
    if isinstance(number, float) and math.isfinite(number) and not number.is_integer():
        return f"{number:.{_DIGITS - 1}e}"
    # 8 and 8.0 are one number in JSON.
    return int(number) if isinstance(number, float) and number.is_integer() and abs(number) < 2**53 else number


def _likeness(row: Any, other: Any) -> int:
    if not isinstance(row, dict) or not isinstance(other, dict):
        return 0
    return sum(_comparable(value) == _comparable(other.get(name, ...)) for name, value in row.items())
