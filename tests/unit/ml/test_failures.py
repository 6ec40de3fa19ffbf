"""Errors of the libraries that train, in one line."""

from __future__ import annotations

import pytest

from fraudstream.core.configuration.settings import load_settings
from fraudstream.ml.failures import one_line


@pytest.mark.parametrize("before", [0, 380, 395])
def test_an_algorithm_s_error_repeats_no_secret(before: int) -> None:
    load_settings(mlflow_tracking_uri="https://ml:qX7pL9zRwN4v@mlflow.example")
    line = one_line(ValueError(f"An error occurred while calling o1.fit\n: {'x' * before}qX7pL9zRwN4v\x1b[2J\n at y"))
    assert line.startswith("ValueError: ")
    assert "qX7" not in line
    assert "\x1b" not in line


def test_the_first_line_that_tells_a_cause_is_told() -> None:
    assert one_line(ValueError("An error occurred while calling o1.fit\n: java.io.IOException: full\n at y")) == (
        "ValueError: java.io.IOException: full"
    )
    assert one_line(MemoryError()) == "MemoryError"
