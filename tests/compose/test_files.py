"""The Compose files as written: a default for everything, no secret, no port open to other machines, at most 8 GB."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.containers import ROOT, Compose, compose_command

BOTH = ["docker-compose.yml", "docker-compose.airgap.yml"]
VARIANTS = pytest.mark.parametrize("files", [BOTH[:1], BOTH], ids=["official", "airgap"])
ONE_SHOT = {"topics", "bootstrap"}
MOST_MEMORY = 8 * 10**9

needs_compose = pytest.mark.skipif(not compose_command(), reason="no Compose: `uv sync` installs it on Linux, x86-64")


@cache
def services(*files: str) -> dict[str, Any]:
    described: dict[str, Any] = Compose("files", {}, [str(ROOT / file) for file in files]).config()["services"]
    return described


def text(file: str) -> str:
    return (ROOT / file).read_text("utf-8")


@pytest.mark.parametrize("file", BOTH)
def test_every_variable_has_a_default(file: str) -> None:
    # $$ is a dollar for the container's own shell.
    used = re.findall(r"(?<!\$)\$(?:\{[^}]*\}|\w+)", text(file))
    assert used
    # Or the variable is looked at for whether it is set.
    assert [variable for variable in used if not re.fullmatch(r"\$\{[A-Z_]+:[-+][^}]+\}", variable)] == []


@pytest.mark.parametrize("file", [*BOTH, "Dockerfile"])
@pytest.mark.parity("no secret in files, logs or output", "compose")
def test_no_secret_and_no_floating_tag(file: str) -> None:
    assert not re.search(r"(?i)password|secret|accountkey|:latest", text(file))


def test_the_images_default_to_the_official_ones() -> None:
    assert "${KAFKA_IMAGE:-apache/kafka:4.3.1}" in text("docker-compose.yml")
    assert "${MONGO_IMAGE:-mongo:8}" in text("docker-compose.yml")


def test_the_dockerfile_needs_no_buildkit() -> None:
    assert not re.search(r"(?m)^# *syntax=|--mount=|<<-?\"?EOF|COPY .*--(?:chmod|link|parents)", text("Dockerfile"))


def test_the_pinned_base_is_the_same_everywhere() -> None:
    pinned = re.findall(r"BASE_IMAGE[=:]\s*(?:\$\{BASE_IMAGE:-)?(debian:[\w.-]+)", text("Dockerfile") + text(BOTH[0]))
    assert len(pinned) == 2
    assert len(set(pinned)) == 1
    assert re.fullmatch(r"debian:\d+\.\d+-slim", pinned[0])


def test_the_documentation_names_every_variable_and_service() -> None:
    page = text("docs/how-to/compose.md")
    variables = {name for file in BOTH for name in re.findall(r"\$\{([A-Z_]+):-", text(file))}
    assert [name for name in sorted(variables) if name not in page] == []
    assert [name for name in services(*BOTH[:1]) if f"`{name}`" not in page] == []


@needs_compose
@VARIANTS
def test_ports_are_published_to_this_machine_only(files: list[str]) -> None:
    published = [port for service in services(*files).values() for port in service.get("ports", ())]
    assert published
    assert {port["host_ip"] for port in published} == {"127.0.0.1"}


@needs_compose
@VARIANTS
def test_memory_limits_fit_together(files: list[str]) -> None:
    # What a profile adds comes on top.
    always = {name: service for name, service in services(*files).items() if not service.get("profiles")}
    limits = {name: int(service["mem_limit"]) for name, service in always.items()}
    assert all(limits.values())
    assert sum(limits.values()) <= MOST_MEMORY, limits


@needs_compose
@VARIANTS
def test_each_service_has_a_health_check_or_ends(files: list[str]) -> None:
    without = {name for name, service in services(*files).items() if "healthcheck" not in service}
    assert without == ONE_SHOT


@needs_compose
@VARIANTS
def test_services_have_no_more_rights_than_they_need(files: list[str]) -> None:
    for name, service in services(*files).items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
        # Kafka's image writes its configuration next to its program.
        assert service.get("read_only") or name == "kafka", name


@needs_compose
@VARIANTS
def test_our_own_images_never_come_from_a_registry(files: list[str]) -> None:
    for name, service in services(*files).items():
        assert (
            (service.get("pull_policy") == "never")
            == ("build" in service)
            == service["image"].startswith("fraudstream/")
        ), name


@needs_compose
@VARIANTS
def test_services_wait_for_a_condition(files: list[str]) -> None:
    for name, service in services(*files).items():
        for needed, how in service.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if needed in ONE_SHOT else "service_healthy"
            assert how["condition"] == wanted, f"{name} → {needed}"


@needs_compose
@VARIANTS
def test_data_are_in_named_volumes(files: list[str]) -> None:
    mounts = [mount for service in services(*files).values() for mount in service.get("volumes", ())]
    own = [mount for mount in mounts if mount["type"] == "volume"]
    assert own
    assert all(mount["source"] for mount in own)
    # The project is read, never written.
    others = [mount for mount in mounts if mount["type"] != "volume"]
    assert {(mount["type"], mount["target"], mount["read_only"]) for mount in others} == {("bind", "/project", True)}


@needs_compose
@VARIANTS
def test_every_container_that_knows_events_has_the_same_project(
    files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    without = {"kafka", "mongo", "mlflow", "topics", "ingest", "devices"}
    monkeypatch.setenv("FRAUDSTREAM_PROJECT_DIR", "tests/projects/renamed")
    described = Compose("files", {}, [str(ROOT / file) for file in files]).config()["services"]
    for name, service in described.items():
        folders = [mount["source"] for mount in service.get("volumes", ()) if mount["target"] == "/project"]
        chosen = service.get("environment", {}).get("FRAUDSTREAM_PROJECT")
        expected = (None, []) if name in without else ("/project", [str(ROOT / "tests/projects/renamed")])
        assert (chosen, folders) == expected, name
    for name, service in services(*files).items():
        assert service.get("environment", {}).get("FRAUDSTREAM_PROJECT", "") == "", name


def test_each_stage_has_the_modules_that_it_runs(tmp_path: Path) -> None:
    """A stage copies few modules, so that a change of another module does not build the stage again."""
    stages = re.findall(r"(?ms)^FROM \S+ AS (\S+)\n(.*?)(?=^FROM |\Z)", text("Dockerfile").replace("\\\n", " "))
    run = {name: set(re.findall(r"python -m (fraudstream\.[\w.]+)", stage)) for name, stage in stages}
    copied = {name: re.findall(r"(?m)^COPY (services/\S.*) (\S+)$", stage) for name, stage in stages}
    checked = 0
    for name in (stage for stage in run if run[stage] and copied[stage]):
        root = tmp_path / name
        for sources, target in copied[name]:
            for source in sources.split():
                origin = ROOT / source
                place = root / target / ("" if origin.is_dir() else origin.name)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copytree(origin, place) if origin.is_dir() else shutil.copy(origin, place)
        for module in run[name]:
            environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(root / "services"), "HOME": str(tmp_path)}
            done = subprocess.run(
                [sys.executable, "-c", f"import {module}"], env=environment, capture_output=True, text=True, timeout=60
            )
            assert done.returncode == 0, f"{name}: {done.stderr[-500:]}"
            checked += 1
    assert checked >= 3


def test_each_image_runs_without_root() -> None:
    dockerfile = text("Dockerfile")
    stages = dict(re.findall(r"(?ms)^FROM \S+ AS (\S+)\n(.*?)(?=^FROM |\Z)", dockerfile))
    assert re.findall(r"(?m)^USER (\S+)", stages["runtime"])[-1] == "fraudstream"
    for stage in ("standin-kafka", "standin-mongo"):
        assert re.findall(r"(?m)^USER (\d+):", stages[stage]) not in ([], ["0"])


def test_files_that_only_their_owner_may_read_in_a_clone_serve_an_images_user() -> None:
    """``COPY`` keeps what a strict umask made of the clone, and the images run as another user."""
    stages = dict(re.findall(r"(?ms)^FROM \S+ AS (\S+)\n(.*?)(?=^FROM |\Z)", text("Dockerfile")))
    copied = {name: re.findall(r"(?m)^COPY (?!--from).* (/\S+)$", stage) for name, stage in stages.items()}
    assert {name: places for name, places in copied.items() if places} == {
        "base": ["/usr/local/share/ca-certificates/company.crt"],
        "runtime": ["/usr/local/bin/answers"],
    }
    assert 'chmod 644 "$company"' in stages["base"]
    assert "chmod 755 /usr/local/bin/answers" in stages["runtime"]
    # Our own code, which the images copy from there.
    assert "chmod -R a+rX /opt/project" in stages["project"]


def test_the_readme_says_how_it_is_started() -> None:
    assert re.search(r"(?m)^docker compose up$", text("README.md"))
