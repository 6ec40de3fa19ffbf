"""Why one reader's request failed, in words that hold no secret."""

from __future__ import annotations

from typing import Any

import pytest

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.errors import StoreUnavailable
from fraudstream.dashboards.ui.errors_shown import answer_or_reason


@pytest.mark.parametrize("error", [StoreUnavailable, ValueError, KeyError])
def test_a_failed_request_gives_one_line_without_our_secrets(error: type[Exception]) -> None:
    def fail() -> Any:
        raise error(f"{'x' * 193}qX7pL9zRwN4v\x1b[2J")

    load_settings(scoring_key="qX7pL9zRwN4v")
    reason = answer_or_reason(fail)
    assert "xxx" in reason
    assert "qX7" not in reason
    assert "\x1b" not in reason


def test_an_answer_is_given_as_it_is() -> None:
    assert answer_or_reason(lambda: 7) == 7
