"""What options of several commands have in common."""

from __future__ import annotations

import math
from typing import Any

import typer


def finite(value: Any) -> Any:
    """For an option's ``callback``: its number, or its numbers. Refuses infinities and NaN, which bounds let pass."""
    for number in value if isinstance(value, list | tuple) else (value,):
        if number is not None and not math.isfinite(number):
            raise typer.BadParameter(f"{number} is no finite number.")
    return value
