"""Results as tables and files, and the page that shows them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fraudstream.bench.harness import rendering, results
from fraudstream.core.output.terminal import terminal

HEAD: dict[str, Any] = {
    "measured_at": "2026-11-25T10:00:00+00:00",
    "machine": {"processor": "a processor", "cores": 2, "memory_gib": 24.0, "load_average_before": [0.5, 1.0, 1.0]},
    "versions": {"python": "3.11.7", "java": "17"},
    "seconds": 12.3,
}
LATENCY: dict[str, Any] = {
    "benchmark": "latency",
    **HEAD,
    "summary": [
        {"contender": "echo", "rate": 200.0, "p50_ms": {"median": 0.9, "min": 0.8, "max": 1.0}},
        {"contender": "echo", "rate": 1_000.0, "p50_ms": {"median": 1234.0, "min": 1234.0, "max": 1234.0}},
    ],
    "bounds": [{"claim": "a | b", "value": 2.5, "limit": "≤ 3", "holds": True}],
}


def test_there_is_one_table_a_rate_and_one_of_bounds() -> None:
    first, second, bounds = rendering.tables(LATENCY)
    assert (first.title, second.title) == ("Latency, 200 events/s", "Latency, 1000 events/s")
    assert first.rows[0][:3] == ("bare loop without work", "0.90 (0.80–1.00)", "–")
    assert second.rows[0][1] == "1,234"
    assert bounds.rows == (("a | b", "2.50", "≤ 3", "yes"),)


def test_a_terminal_gets_all_of_it() -> None:
    console = terminal(width=200, record=True, file=None, quiet=False)
    with console.capture() as captured:
        rendering.show(LATENCY, console)
    text = captured.get()
    assert "0.90 (0.80–1.00)" in text
    assert "a processor, 2 cores, 24 GiB, load average before 0.5" in text


@pytest.mark.parametrize(("value", "text"), [(0.004, "0.00"), (9.994, "9.99"), (42.25, "42.2"), (54_321.6, "54,322")])
def test_figures_have_three_digits(value: float, text: str) -> None:
    assert rendering.figure(value) == text


def test_a_file_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    written = LATENCY | {"runs": [{"latencies": [1, 2, 3], "of": {"deep": [{"a": 1}]}}], "none": [], "empty": {}}
    file = tmp_path / "results" / "latency.json"
    results.write(written, file)
    assert results.read(file) == written
    assert json.loads(file.read_text("utf-8")) == written


def test_parts_that_are_measured_anew_keep_the_others_and_say_when() -> None:
    before = {
        "measured_at": "2026-01-01",
        "versions": {"python": "3"},
        "pages": 1,
        "heap": 2,
        "measured_anew": {"heap": "x"},
    }
    merged = results.remeasured(before, {"pages": 3}, ("pages",))
    assert (merged["pages"], merged["heap"], merged["measured_at"]) == (3, 2, "2026-01-01")
    assert merged["measured_anew"].keys() == {"heap", "pages"}
    assert "versions" not in merged
    assert "incomplete" not in merged
    assert results.remeasured({}, {"pages": 3}, ("pages",)) == {"pages": 3}


def test_results_list_the_parts_that_are_missing_until_a_run_measures_them() -> None:
    interrupted = results.remeasured({}, {"pages": 1}, ("pages", "heap", "callbacks"))
    assert interrupted == {"pages": 1, "incomplete": ["heap", "callbacks"]}
    continued = results.remeasured(interrupted, {"heap": 2}, ("heap",))
    assert (continued["pages"], continued["heap"], continued["incomplete"]) == (1, 2, ["callbacks"])
    assert continued["measured_anew"].keys() == {"heap"}
    repeated = results.remeasured({"pages": 1, "heap": 2}, {"pages": 3}, ("pages", "heap"))
    assert repeated["measured_anew"].keys() == {"pages"}
    assert "incomplete" not in repeated


def test_a_terminal_says_which_parts_are_missing() -> None:
    console = terminal(width=200, record=True, file=None, quiet=False)
    with console.capture() as captured:
        rendering.show(LATENCY | {"incomplete": ["pages", "heap"]}, console)
    assert "Incomplete: pages, heap not measured." in captured.get()


def test_numbers_are_rounded_to_what_they_say() -> None:
    assert results.rounded({"a": [1.23456, 0.000123456, 7], "b": "x", "c": (2.0,)}) == {
        "a": [1.235, 0.0001235, 7],
        "b": "x",
        "c": [2.0],
    }
