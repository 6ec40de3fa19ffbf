"""A project and a query of one's own in containers: the images know neither, its folder is all that changes."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import httpx
import pytest

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import REJECTED, SCORED
from fraudstream.core.documents import client as documents
from fraudstream.runtime.accounting import end_offsets
from fraudstream.runtime.supervise.preflight import free_port
from tests.compose.conftest import PORTS, RUNNING, UP_SECONDS
from tests.containers import Compose, require_engine
from tests.shapes import SHAPES
from tests.system.conftest import await_condition, new_fraudstream

pytestmark = [pytest.mark.containers, pytest.mark.system, pytest.mark.timeout(900)]

ROWS = 3_000
LARGE = "SELECT d.trans_num, d.amt, d.decision.score INTO large FROM decided d WHERE d.amt > 50;\n"


def own_project(folder: Path) -> Path:
    """What `init` writes for a file, with one more output in its query; readable by the containers' user."""
    fraudstream = new_fraudstream(folder)
    rows = SHAPES["sparkov"].make(fraudstream.folder, ROWS)
    fraudstream.run("init", "own", "--from", str(rows))
    project = fraudstream.folder / "own"
    shutil.copy(rows, project)
    definition = project / "fraudstream.toml"
    definition.write_text(definition.read_text("utf-8").replace(f'"{rows}"', f'"{rows.name}"'), "utf-8")
    query = project / "stream-analytics"
    with (query / "fraud.asaql").open("a", encoding="utf-8") as text:
        text.write(f"\n{LARGE}")
    output = json.loads((query / "Outputs" / "alerts.json").read_text("utf-8"))
    output["Name"] = output["EventHubProperties"]["EventHubName"] = "large"
    (query / "Outputs" / "large.json").write_text(json.dumps(output), "utf-8")
    listed = json.loads((query / "asaproj.json").read_text("utf-8"))
    listed["configurations"].append({"filePath": "Outputs/large.json", "subType": "Output"})
    (query / "asaproj.json").write_text(json.dumps(listed), "utf-8")
    for path in (project, *project.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return project


def count(settings: Settings, topic: str) -> int:
    return sum(end_offsets(settings, topic).values())


def test_a_project_and_its_query_run_in_the_images(tmp_path: Path) -> None:
    require_engine()
    ports = {f"{name}_port": free_port() for name in PORTS}
    variables = {f"FRAUDSTREAM_{name.upper()}": str(port) for name, port in ports.items()}
    variables |= {"FRAUDSTREAM_PROJECT_DIR": str(own_project(tmp_path)), "GENERATOR_SOURCE": "replay"}
    compose = Compose(f"fraudstream-own-{os.getpid()}", variables | {"GENERATOR_RATE": "200"})
    settings, live = Settings(**ports), ROWS // 2
    began = time.monotonic()
    try:
        compose.run("up", "--detach", "--quiet-pull", seconds=UP_SECONDS)
        compose.await_healthy(*(name for name in RUNNING if name != "generator"), seconds=UP_SECONDS)
        await_condition(lambda: count(settings, SCORED) == live, UP_SECONDS - (time.monotonic() - began))
        assert count(settings, REJECTED) == 0
        transactions = documents.database(settings)[documents.TRANSACTIONS]
        await_condition(lambda: transactions.count_documents({"origin": "live"}) == live, 60)
        large = transactions.count_documents({"origin": "live", "amt": {"$gt": 50}})
        assert 0 < large < live
        assert count(settings, "large") == large
        for page in ("/", "/history", "/explorer"):
            assert httpx.get(f"{settings.dashboard_url}{page}", timeout=60).status_code == 200
        assert "Own" in httpx.get(f"{settings.dashboard_url}/_dash-layout", timeout=60).text
    finally:
        print(compose.run("ps", "--all"), compose.run("logs", "--no-color", "--tail", "15"))  # noqa: T201
        compose.run("--profile", "*", "down", "--volumes", "--timeout", "10")
