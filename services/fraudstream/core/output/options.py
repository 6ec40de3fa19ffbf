"""What options of several commands have in common."""

from __future__ import annotations

import math
from typing import Any

import typer


def finite(value: Any) -> Any:
    """For an option's ``callback``: its number, or its numbers. Refuses infinities and NaN, which bounds let pass."""
    for one in value if isinstance(value, list | tuple) else (value,):
        if one is not None and not math.isfinite(one):
            raise typer.BadParameter(f"{one} is no finite number.")
    return value
