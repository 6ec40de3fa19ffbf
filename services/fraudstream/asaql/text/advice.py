"""What to write instead of habits that other SQL dialects have; ``advice.toml`` beside this module holds it."""

from __future__ import annotations

import tomllib
from importlib import resources

_BOOK: dict[str, dict[str, str]] = tomllib.loads(
    resources.files("fraudstream.asaql.text").joinpath("advice.toml").read_text("utf-8")
)

FUNCTIONS = _BOOK["functions"]
TYPES = _BOOK["types"]
STATEMENTS = _BOOK["statements"]
CLAUSES = _BOOK["clauses"]
WITHIN_OVER = _BOOK["within_over"]
SIGNS = _BOOK["signs"]
