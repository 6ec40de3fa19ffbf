"""Docker's engine and Compose, for the tests that run containers.

Which images these are is up to Compose's own variables: without any the official ones, with
``COMPOSE_FILE=docker-compose.yml:docker-compose.airgap.yml`` the ones that docker/airgap.sh built.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.errors import DockerException

from tests.system.conftest import await_condition

ROOT = Path(__file__).resolve().parents[1]
FILES = [str(ROOT / name) for name in os.environ.get("COMPOSE_FILE", "docker-compose.yml").split(":")]
# Where containers have to run, a missing engine is a failure and no reason to skip.
REQUIRED = bool(os.environ.get("CI") or os.environ.get("REQUIRE_CONTAINERS"))


@cache
def engine_problem() -> str:
    """Why no containers can be run here; empty if they can."""
    try:
        docker.from_env(timeout=10).ping()
    except DockerException as error:
        return f"Docker's engine does not answer ({error})"
    return "" if compose_command() else "neither `docker compose` nor `docker-compose` is there"


def require_engine() -> None:
    """Skip the test without an engine, or fail with the reason where containers are required."""
    if problem := engine_problem():
        (pytest.fail if REQUIRED else pytest.skip)(problem)


@cache
def compose_command() -> tuple[str, ...]:
    """Compose as the engine's plugin, or the binary of the development dependencies; empty without either."""
    candidates = [("docker", "compose"), (str(Path(sys.executable).with_name("docker-compose")),), ("docker-compose",)]
    for candidate in candidates:
        if shutil.which(candidate[0]) and not subprocess.run([*candidate, "version"], capture_output=True).returncode:
            return candidate
    return ()


class Compose:
    """Compose on a project of the test's own; ``variables`` are what a user would set in the environment."""

    def __init__(self, project: str, variables: dict[str, str], files: list[str] | None = None) -> None:
        self.project = project
        self.variables = variables
        self.files = FILES if files is None else files

    def run(self, *words: str, status: int = 0, seconds: float = 600) -> str:
        """Run ``docker compose WORDS``; returns its stdout."""
        chosen = [word for file in self.files for word in ("-f", file)]
        command = [*compose_command(), "-p", self.project, "--project-directory", str(ROOT), *chosen, *words]
        environment = {**os.environ, "COMPOSE_ANSI": "never", **self.variables}
        environment.pop("COMPOSE_FILE", None)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=seconds)
        assert done.returncode == status, f"docker compose {' '.join(words)}: {done.returncode}\n{done.stderr[-4000:]}"
        return done.stdout

    def config(self) -> dict[str, Any]:
        """The resolved model of the files."""
        found: dict[str, Any] = json.loads(self.run("--profile", "*", "config", "--format", "json"))
        return found

    def services(self) -> dict[str, dict[str, Any]]:
        """Service → its container's state as ``docker compose ps`` lists it."""
        lines = self.run("ps", "--all", "--format", "json").splitlines()
        return {one["Service"]: one for one in map(json.loads, lines)}

    def await_healthy(self, *names: str, seconds: float = 180) -> None:
        """Wait until the named services are healthy."""

        def healthy() -> bool:
            found = self.services()
            return all(found.get(name, {}).get("Health") == "healthy" for name in names)

        await_condition(healthy, seconds)

    def containers(self) -> dict[str, Any]:
        """Service → its container, as the engine describes it."""
        labelled = {"label": f"com.docker.compose.project={self.project}"}
        found = docker.from_env().containers.list(all=True, filters=labelled)
        return {one.labels["com.docker.compose.service"]: one for one in found}
