"""`docs/explanation/benchmarks.md` shows the results' files between its marks."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs.makers import benchmarks
from docs.makers.files import stale, write

from fraudstream.bench.harness import results
from tests.unit.bench.harness.test_rendering import LATENCY


def test_other_results_make_the_page_stale_and_are_taken_up(tmp_path: Path) -> None:
    page = tmp_path / benchmarks.PAGE
    page.parent.mkdir(parents=True)
    page.write_text(f"before\n{benchmarks.BEGIN}{benchmarks.END}\nafter\n")
    write(benchmarks.generated(tmp_path))
    assert stale(benchmarks.generated(tmp_path)) == []
    results.write(LATENCY, tmp_path / "benchmarks" / "results" / "latency.json")
    assert stale(benchmarks.generated(tmp_path)) == [page]
    write(benchmarks.generated(tmp_path))
    text = page.read_text("utf-8")
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "| a \\| b | 2.50 | ≤ 3 | yes |" in text
    assert "| Latency, 200 events/s | p50 ms |" in text


def test_a_page_without_marks_is_an_error() -> None:
    with pytest.raises(ValueError, match="lacks the mark"):
        benchmarks.renewed("nothing", "")
