"""`docs/how-to/azure.md`: its generated parts follow the results and prices, and the results keep the promises."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from docs.makers import azure
from docs.makers.files import stale, write

from fraudstream.cloud.rehearsal.costs import prices, template_costs


@pytest.fixture(scope="module")
def result(project_root: Path) -> dict[str, Any]:
    outcome: dict[str, Any] = json.loads((project_root / azure.RESULTS).read_text("utf-8"))
    return outcome


def test_a_stale_page_is_written_again(project_root: Path, tmp_path: Path) -> None:
    for name in (azure.PAGE, azure.RESULTS, azure.PARAMETERS):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project_root / name, tmp_path / name)
    page = tmp_path / azure.PAGE
    page.write_text(re.sub(r"It took \d+ minutes", "It took no time", page.read_text("utf-8")), "utf-8")
    assert stale(azure.generated(tmp_path)) == [page]
    write(azure.generated(tmp_path))
    assert page.read_text("utf-8") == (project_root / azure.PAGE).read_text("utf-8")


def test_the_recorded_run_keeps_what_is_promised(result: dict[str, Any]) -> None:
    assert result["events"] == 20_000
    assert result["acknowledged"] + result["refused_by_size"] == result["events"]
    assert result["scored"] + result["rejected"] == result["acknowledged"]
    assert result["stored"] == result["scored"]
    assert result["throttled_share"] >= 0.05
    assert result["requests_delayed"] > 0
    assert result["broken_rules"] == result["leaks"] == []
    assert {fault["fault"] for fault in result["faults"]} == {"throttling storm", "connections cut", "keys rotated"}
    assert result["passed"]
    assert {"python", "java", "kafka", "pyspark"} <= result["versions"].keys()
    assert result["machine"]["cores"]


def test_costs_follow_the_parameters_and_say_where_prices_stand() -> None:
    parameters = {
        "throughputUnits": 2,
        "mostThroughputUnits": 2,
        "expectedEventsPerSecond": 100,
        "mostRequestUnits": 1_000,
    }
    small = {row["resource"]: row for row in template_costs(parameters)}
    large = {row["resource"]: row for row in template_costs(parameters | {"mostRequestUnits": 10_000})}
    assert small["Event Hubs, throughput units"]["most"] == pytest.approx(2 * 730 * 0.03)
    assert large["Cosmos DB, autoscale"]["most"] == pytest.approx(10 * small["Cosmos DB, autoscale"]["most"])
    assert all(row["source"].startswith("https://azure.microsoft.com/") for row in small.values())
    assert all(row["least"] <= row["most"] for row in small.values())
    assert all("source" in table for table in prices().values() if isinstance(table, dict))


def test_the_containers_that_are_priced_are_those_of_the_template(project_root: Path) -> None:
    apps = (project_root / "azure" / "modules" / "apps.bicep").read_text("utf-8")
    spark = json.loads((project_root / azure.PARAMETERS).read_text("utf-8"))["parameters"]
    sizes = re.findall(r"^  cores: (\S+)\n  memory: (\S+)", apps, re.MULTILINE)
    cores = [spark["sparkCores"]["value"] if size == "sparkCores" else size.strip("'") for size, _ in sizes]
    memory = [spark["sparkMemory"]["value"] if size == "sparkMemory" else size.strip("'") for _, size in sizes]
    assert len(sizes) == 5
    assert sum(map(float, cores)) == prices()["container_apps"]["cores"]
    assert sum(float(size.removesuffix("Gi")) for size in memory) == prices()["container_apps"]["gibibytes"]
