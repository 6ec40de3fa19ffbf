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
def found(project_root: Path) -> dict[str, Any]:
    results: dict[str, Any] = json.loads((project_root / page.RESULTS).read_text("utf-8"))
    return results


def test_the_bounds_held(found: dict[str, Any]) -> None:
    assert found["stored"]["transactions"] >= 1_000_000
    assert {name: one for name, one in found["callbacks"].items() if one["p95_ms"] > figures.CALLBACK_P95} == {}
    assert {name: one for name, one in found["pages"].items() if one["max_ms"] > figures.PAGE_READY} == {}
    assert found["fifty_viewers"]["p95_ms"] <= figures.VIEWERS_P95
    assert found["heap"]["minutes"] >= 30
    assert found["heap"]["growth_percent"] <= figures.HEAP_GROWTH


def test_reads_do_not_grow_with_viewers(found: dict[str, Any]) -> None:
    reads = {name: found[name]["database_reads_per_second"] for name in ("one_viewer", "fifty_viewers")}
    assert reads["fifty_viewers"] <= figures.READS_GROWTH * reads["one_viewer"]


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
