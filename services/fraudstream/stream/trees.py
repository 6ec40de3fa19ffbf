"""The file of a champion's trees, checked before the stream scores with it: a broken one would stop every batch."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, NoReturn

from fraudstream.core.contract.event import FEATURES, RULES

_NUMBERS = ("split", "value")
_PLACES = ("feature", "left", "right")


def read_trees(file: Path) -> dict[str, Any]:
    """The trees as :mod:`fraudstream.ml.algorithms.portable` writes them.

    Raises ``OSError``, and ``ValueError`` where they are none of ours or cannot score.
    """
    trees = json.loads(file.read_text("utf-8"), parse_constant=_not_finite)
    if not isinstance(trees, dict):
        raise ValueError("its trees are no JSON object")
    try:
        problem = _problem(trees)
    except (KeyError, TypeError) as error:
        raise ValueError(f"its trees are not ours: {type(error).__name__}: {error}") from error
    if problem:
        raise ValueError(f"its trees cannot score: {problem}")
    return trees


def _not_finite(word: str) -> NoReturn:
    raise ValueError(f"its trees cannot score: a number is {word}")


def _problem(trees: dict[str, Any]) -> str:
    if not 0 <= trees["threshold"] <= 1:
        return f"the threshold is {trees['threshold']}"
    if not math.isfinite(trees["base"]) or not isinstance(trees["single_precision"], bool):
        return "the base margin or the precision is missing"
    if trees["features"] != list(FEATURES):
        return f"its fields are not the contract's: {trees['features']!r}"[:200]
    if trees["codes"].keys() != {name for name in FEATURES if RULES[name].kind == "text"}:
        return f"its categories are not the contract's: {sorted(trees['codes'])!r}"[:200]
    size = len(trees["feature"])
    if any(len(trees[name]) != size for name in (*_NUMBERS, *_PLACES)) or len(trees["cover"]) not in (0, size):
        return "its lists of nodes have different lengths"
    # Trees that no missing value was shown to have no such list: there it goes right.
    missing_left = trees.get("missing_left", [])
    if len(missing_left) not in (0, size) or not all(isinstance(goes_left, bool) for goes_left in missing_left):
        return "where missing values go is not told of each node"
    if not all(math.isfinite(number) for name in _NUMBERS for number in trees[name]):
        return "a split or a leaf is not finite"
    if not trees["roots"] or not all(0 <= root < size for root in trees["roots"]):
        return "a root is not among its nodes"
    for node, (feature, left, right) in enumerate(zip(*(trees[name] for name in _PLACES), strict=True)):
        # Children come behind their parent in what training writes: no path can go round.
        if feature != -1 and not (0 <= feature < len(FEATURES) and node < left < size and node < right < size):
            return f"node {node} leads nowhere"
    return ""
