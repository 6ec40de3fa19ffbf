"""Finds what a fast parser loses of a body: the first of two equal names.

For nearly all bodies a search of their bytes shows that nothing is lost. Only the others are parsed a second time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fraudstream.core.contract.event import FEATURES
from fraudstream.core.contract.exact_json import Object, as_written
from fraudstream.core.errors import ScoringRejected

# Up to this size, Python's own search is faster than a call of numpy.
_FEW_BYTES = 4096


def has_each_name_once(body: bytes, names: int, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a fast parser, which found ``rows`` and, outside of them, ``names`` names, has all names of a body.

    False also if that is not certain.
    """
    if len(body) <= _FEW_BYTES:
        colons = body.count(b":")
    else:
        colons = int(np.count_nonzero(np.frombuffer(body, np.uint8) == ord(":")))
    # Each name has a colon, a repeated one as well, and texts may have more. Usual rows have no names but the features.
    if colons == names + len(FEATURES) * len(rows):
        return True
    return _has_so_many_names(body, names + sum(map(len, rows)))


def _has_so_many_names(body: bytes, names: int) -> bool:
    """Whether the body has ``names`` names: quotes with a colon right behind them. False if a space may be between."""
    if b"\\" in body:
        return False
    text = np.frombuffer(body, np.uint8)
    before = text[np.flatnonzero(text == ord(":")) - 1]
    return bool(np.count_nonzero(before == ord('"')) == names and not (before <= ord(" ")).any())


def require_names_once(body: bytes, path: tuple[str, ...]) -> None:
    """Raise :class:`ScoringRejected` for a repeated name on the way to the rows, or of a feature in a row.

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
    if isinstance(value, Object):
        for name in ("columns", "data"):
            _only(value, name, where)
        return
    for number, row in enumerate(value):
        names = [name for name, _ in row]
        repeated = next((name for name in FEATURES if names.count(name) > 1), None)
        if repeated is not None:
            raise ScoringRejected(f"row {number}: {repeated}: stands more than once; name each field once.")


def _only(fields: Object, name: str, where: str) -> Any:
    values = [value for given, value in fields if given == name]
    if len(values) > 1:
        raise ScoringRejected(f"{where} has {name} more than once; send it once.")
    return values[0] if values else None
