"""The documentation's figures of the dashboards are those of the results' file, and keep the project's bounds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from docs.makers import dashboards as page

from fraudstream.bench.dashboards import figures


@pytest.fixture
def results(project_root: Path) -> dict[str, Any]:
    measured: dict[str, Any] = json.loads((project_root / page.RESULTS).read_text("utf-8"))
    return measured


def test_the_bounds_held(results: dict[str, Any]) -> None:
    assert results["stored"]["transactions"] >= 1_000_000
    assert {name: view for name, view in results["callbacks"].items() if view["p95_ms"] > figures.CALLBACK_P95} == {}
    assert {name: page for name, page in results["pages"].items() if page["max_ms"] > figures.PAGE_READY} == {}
    assert results["fifty_viewers"]["p95_ms"] <= figures.VIEWERS_P95
    assert results["heap"]["minutes"] >= 30
    assert results["heap"]["growth_percent"] <= figures.HEAP_GROWTH


def test_reads_do_not_grow_with_viewers(results: dict[str, Any]) -> None:
    reads = {name: results[name]["database_reads_per_second"] for name in ("one_viewer", "fifty_viewers")}
    assert reads["fifty_viewers"] <= figures.READS_GROWTH * reads["one_viewer"]


def test_a_missed_bound_is_reported(results: dict[str, Any]) -> None:
    slow = results["callbacks"] | {"live": {"p95_ms": 50.1}}
    assert "| refresh of live: p95 | 50.1 ms | ≤ 50 ms | no |" in page.section(results | {"callbacks": slow})


def test_a_page_without_its_mark_is_an_error(project_root: Path, tmp_path: Path) -> None:
    for name in (page.PAGE, page.RESULTS):
        (tmp_path / name).parent.mkdir(parents=True)
    shutil.copy(project_root / page.RESULTS, tmp_path / page.RESULTS)
    (tmp_path / page.PAGE).write_text(f"{page.BEGIN}no end\n", "utf-8")
    with pytest.raises(ValueError, match="/measured"):
        page.generated(tmp_path)
