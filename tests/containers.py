"""Docker's engine and Compose, for the tests that run containers.

Compose's own variables choose the images: the official ones by default, and the ones that docker/airgap.sh built with
``COMPOSE_FILE=docker-compose.yml:docker-compose.airgap.yml``.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException

from tests.missing import skip_without
from tests.system.conftest import await_condition

ROOT = Path(__file__).resolve().parents[1]
FILES = [str(ROOT / name) for name in os.environ.get("COMPOSE_FILE", "docker-compose.yml").split(":")]


@cache
def engine_problem() -> str:
    """Why this machine runs no containers; empty if it does."""
    try:
        docker.from_env(timeout=10).ping()
    except DockerException as error:
        return f"Docker's engine does not answer ({error})"
    return "" if compose_command() else "neither `docker compose` nor `docker-compose` is there"


def require_engine() -> None:
    """Skip the test without an engine; with ``REQUIRE_CONTAINERS`` or ``CI`` set, fail with the reason."""
    if problem := engine_problem():
        remedy = "on Debian and its relatives, docker/engine.sh installs and starts it"
        skip_without("Docker's engine with Compose", remedy, "REQUIRE_CONTAINERS", problem)


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

    @contextmanager
    def shell(self, text: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
        """Bash that runs ``text``, with `docker compose` on this project; its output goes to ``folder/output``.

        At the end it is killed, which stops no container.
        """
        environment = {**os.environ, "COMPOSE_ANSI": "never", **self.variables}
        environment |= {"COMPOSE_FILE": ":".join(self.files), "COMPOSE_PROJECT_NAME": self.project}
        command, *subcommand = compose_command()
        if not subcommand:
            # The engine's client finds Compose there as its plugin.
            plugin = folder / "cli-plugins" / "docker-compose"
            plugin.parent.mkdir()
            plugin.symlink_to(str(shutil.which(command)))
            environment["DOCKER_CONFIG"] = str(folder)
        with (folder / "output").open("wb") as output:
            words = ["bash", "-euo", "pipefail", "-c", text]
            shell = subprocess.Popen(
                words, cwd=ROOT, env=environment, stdout=output, stderr=output, start_new_session=True
            )
        try:
            yield shell
        finally:
            os.killpg(shell.pid, signal.SIGKILL)
            shell.wait()

    def config(self) -> dict[str, Any]:
        """The resolved model of the files."""
        model: dict[str, Any] = json.loads(self.run("--profile", "*", "config", "--format", "json"))
        return model

    def services(self) -> dict[str, dict[str, Any]]:
        """Service → its container's state as ``docker compose ps`` lists it."""
        lines = self.run("ps", "--all", "--format", "json").splitlines()
        return {container["Service"]: container for container in map(json.loads, lines)}

    def await_healthy(self, *names: str, seconds: float = 180) -> None:
        """Wait until the named services are healthy."""

        def healthy() -> bool:
            services = self.services()
            return all(services.get(name, {}).get("Health") == "healthy" for name in names)

        await_condition(healthy, seconds)

    def containers(self) -> dict[str, Any]:
        """Service → its container, as the engine describes it."""
        labelled = {"label": f"com.docker.compose.project={self.project}"}
        containers = docker.from_env().containers.list(all=True, filters=labelled)
        return {container.labels["com.docker.compose.service"]: container for container in containers}
