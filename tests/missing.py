"""What this machine lacks for some of the tests: they are skipped, and one line at the end of the run names it."""

from __future__ import annotations

import importlib
import os
from collections import Counter
from collections.abc import Iterable
from typing import Any, NoReturn

import pytest

_MARK = "not on this machine: "


def skip_without(what: str, remedy: str, required_by: str = "REQUIRE_TOOLS", detail: str = "") -> NoReturn:
    """Skip the test, since the machine lacks ``what``; ``remedy`` says how to get it.

    The test fails instead where the variable ``required_by`` or ``CI`` is set: there the machine must have it.
    ``detail`` is what was tried, for that failure.
    """
    if os.environ.get("CI") or os.environ.get(required_by):
        pytest.fail(f"{what} is missing: {remedy}. {detail}")
    pytest.skip(f"{_MARK}{what} ({remedy})")


def import_or_skip(module: str, what: str, remedy: str) -> Any:
    """The module; skips as :func:`skip_without` does where its distribution is not installed."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        skip_without(what, remedy, detail=str(error))


def summary(reasons: Iterable[str]) -> str:
    """One line for all tests that were skipped for one of these reasons; empty when nothing was missing."""
    missing = Counter(reason.partition(_MARK)[2] for reason in reasons if _MARK in reason)
    return "; ".join(f"{count} without {what}" for what, count in missing.items())
