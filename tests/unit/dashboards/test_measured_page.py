"""The documentation's figures of the dashboards are those of the results' file, and keep the project's bounds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from benchmarks.dashboards import page


@pytest.fixture
def found(project_root: Path) -> dict[str, Any]:
    results: dict[str, Any] = json.loads((project_root / page.RESULTS).read_text("utf-8"))
    return results


def test_the_page_shows_the_results(project_root: Path) -> None:
    assert (project_root / page.PAGE).read_text("utf-8") == page.made(project_root)


def test_the_bounds_held(found: dict[str, Any]) -> None:
    assert found["stored"]["transactions"] >= 1_000_000
    assert {name: one for name, one in found["callbacks"].items() if one["p95_ms"] > page.CALLBACK_P95} == {}
    assert {name: one for name, one in found["pages"].items() if one["max_ms"] > page.PAGE_READY} == {}
    assert found["fifty_viewers"]["p95_ms"] <= page.VIEWERS_P95
    assert found["heap"]["minutes"] >= 30
    assert found["heap"]["growth_percent"] <= page.HEAP_GROWTH


def test_reads_do_not_grow_with_viewers(found: dict[str, Any]) -> None:
    reads = {name: found[name]["database_reads_per_second"] for name in ("one_viewer", "fifty_viewers")}
    assert reads["fifty_viewers"] <= page.READS_GROWTH * reads["one_viewer"]


def test_a_bound_that_is_missed_is_told(found: dict[str, Any]) -> None:
    slow = found["callbacks"] | {"live": {"p95_ms": 50.1}}
    assert "| refresh of live: p95 | 50.1 ms | ≤ 50 ms | no |" in page.section(found | {"callbacks": slow})


def test_a_page_without_its_mark_is_told(project_root: Path, tmp_path: Path) -> None:
    for name in (page.PAGE, page.RESULTS):
        (tmp_path / name).parent.mkdir(parents=True)
    shutil.copy(project_root / page.RESULTS, tmp_path / page.RESULTS)
    (tmp_path / page.PAGE).write_text(f"{page.BEGIN}no end\n", "utf-8")
    with pytest.raises(ValueError, match="/measured"):
        page.made(tmp_path)
