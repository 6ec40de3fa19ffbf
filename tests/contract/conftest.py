"""The broker and the document store as a contract's cases meet them: as local parts, or as containers of a network.

The containers get image, environment and command from the Compose files, so that what is tested is what Compose runs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import docker
import pytest
from docker.errors import DockerException
from pymongo.errors import PyMongoError
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.documents import client as documents
from fraudstream.core.errors import BrokerUnavailable
from fraudstream.core.kafka.clients import consumer
from fraudstream.runtime.parts import documentstore, kafka_broker
from fraudstream.runtime.parts.local import spark_job_environment
from fraudstream.runtime.supervise.preflight import free_port
from tests.containers import Compose, require_engine
from tests.stack.conftest import Running
from tests.system.conftest import await_condition

READY_SECONDS = 120.0


class Deployment(Protocol):
    """Where a contract's cases run. ``settings`` reach broker and store from the test's own process."""

    settings: Settings

    def kill(self, part: str) -> None:
        """Kill `broker` or `store` without notice and start it again on its data; returns once it answers."""

    def command(self, *words: str) -> dict[str, Any]:
        """Run ``fraudstream WORDS --json`` beside broker and store; returns what it printed."""
        ...

    def store_job(self) -> Any:
        """A context in which the store job runs."""


class LocalParts:
    """The embedded parts as processes of this machine."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        ports = {f"{name}_port": free_port() for name in ("kafka", "kafka_controller", "mongo")}
        self.settings = Settings(data_dir=folder, **ports)
        self._parts = {
            "broker": Running(kafka_broker.part(self.settings), folder / "broker.log"),
            "store": Running(documentstore.part(self.settings), folder / "store.log"),
        }
        for part in self._parts.values():
            stack.callback(part.stop)

    def kill(self, part: str) -> None:
        self._parts[part].kill()
        self._parts[part].start()

    def command(self, *words: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "fraudstream.runtime", *words, "--json"],
            env={**os.environ, **spark_job_environment(self.settings)},
            capture_output=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr.decode()[-3000:]
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    @contextmanager
    def store_job(self) -> Iterator[None]:
        with (self.settings.data_dir / "job.log").open("ab") as log:
            job = subprocess.Popen(
                [sys.executable, "-m", "fraudstream.store"],
                env={**os.environ, **spark_job_environment(self.settings)},
                stdout=log,
                stderr=log,
            )
        try:
            yield
        finally:
            job.terminate()
            job.wait(timeout=60)


class Containers:
    """Broker and store as containers with Compose's images and settings; ours join their network."""

    def __init__(self, stack: ExitStack) -> None:
        self._services = Compose("fraudstream-contract", {}).config()["services"]
        self._volumes = f"fraudstream-contract-{uuid4().hex[:8]}"
        stack.callback(self._remove_volumes)
        self._network = stack.enter_context(Network())
        self.settings = Settings(kafka_port=free_port(), mongo_port=free_port())
        host = f"HOST://127.0.0.1:{self.settings.kafka_port}"
        broker = self._container("kafka").with_env("KAFKA_ADVERTISED_LISTENERS", f"PLAINTEXT://kafka:9092,{host}")
        store = self._container("mongo")
        # Fixed, because a container that is started again would get another free port.
        broker.ports["19092"] = ("127.0.0.1", self.settings.kafka_port)
        store.ports["27017"] = ("127.0.0.1", self.settings.mongo_port)
        self._parts = {"broker": broker, "store": store}
        for container in self._parts.values():
            stack.enter_context(container)
        self._await_answers()

    def kill(self, part: str) -> None:
        container = self._parts[part].get_wrapped_container()
        container.kill()
        container.wait()
        container.start()
        self._await_answers()

    def command(self, *words: str) -> dict[str, Any]:
        with self._container("generator").with_command(["fraudstream", *words, "--json"]) as container:
            status = container.get_wrapped_container().wait(timeout=300)["StatusCode"]
            out, err = container.get_logs()
            assert status == 0, err.decode()[-3000:]
        answer: dict[str, Any] = json.loads(out)
        return answer

    @contextmanager
    def store_job(self) -> Iterator[None]:
        with self._container("store"):
            yield

    def _container(self, name: str) -> DockerContainer:
        service = self._services[name]
        container = DockerContainer(service["image"]).with_network(self._network).with_network_aliases(name)
        for variable, value in (service.get("environment") or {}).items():
            container.with_env(variable, value)
        for entry in service.get("tmpfs", ()):
            place, _, options = entry.partition(":")
            container.tmpfs[place] = options
        for entry in service.get("volumes", ()):
            if entry["type"] == "volume":
                container.with_volume_mapping(f"{self._volumes}-{entry['source']}", entry["target"], "rw")
        if service.get("command"):
            container.with_command(service["command"])
        return container.with_kwargs(
            user=service.get("user"),
            read_only=service.get("read_only", False),
            mem_limit=service["mem_limit"],
            cap_drop=service["cap_drop"],
        )

    def _remove_volumes(self) -> None:
        for volume in docker.from_env().volumes.list():
            if volume.name.startswith(self._volumes):
                volume.remove()

    def _await_answers(self) -> None:
        await_condition(lambda: answers(self.settings), READY_SECONDS)


def answers(settings: Settings) -> bool:
    """Whether broker and store answer."""
    try:
        consumer(settings).close()
        documents.database(settings, serverSelectionTimeoutMS=500).command("ping")
    except (BrokerUnavailable, PyMongoError):
        return False
    return True


@pytest.fixture(scope="package")
def local_parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with ExitStack() as stack:
        yield LocalParts(tmp_path_factory.mktemp("local"), stack)


@pytest.fixture(scope="package")
def containers() -> Iterator[Deployment]:
    require_engine()
    testcontainers_config.ryuk_disabled = not _has_ryuk()
    with ExitStack() as stack:
        yield Containers(stack)


def _has_ryuk() -> bool:
    """Whether the image is here, or can be had, that removes what a killed test run leaves."""
    images = docker.from_env().images
    try:
        images.get(testcontainers_config.ryuk_image)
    except DockerException:
        try:
            images.pull(*testcontainers_config.ryuk_image.split(":"))
        except DockerException:
            return False
    return True
