"""Labels for people who hear the pages instead of seeing them."""

from __future__ import annotations

from typing import Any


def aria(**names: str) -> dict[str, Any]:
    """``aria-…`` attributes: ``aria(label="Pages")`` → ``{"aria-label": "Pages"}``."""
    return {f"aria-{name}": value for name, value in names.items()}
