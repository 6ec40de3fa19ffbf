"""What one reader's own request failed of, in words that hold no secret."""

from __future__ import annotations

from typing import Any

import pytest

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.errors import StoreUnavailable
from fraudstream.dashboards.ui.errors_shown import told


@pytest.mark.parametrize("error", [StoreUnavailable, ValueError, KeyError])
def test_a_failed_request_is_told_in_one_line_without_our_secrets(error: type[Exception]) -> None:
    def fail() -> Any:
        raise error(f"{'x' * 193}qX7pL9zRwN4v\x1b[2J")

    load_settings(scoring_key="qX7pL9zRwN4v")
    said = told(fail)
    assert "xxx" in said
    assert "qX7" not in said
    assert "\x1b" not in said


def test_an_answer_is_given_as_it_is() -> None:
    assert told(lambda: 7) == 7
