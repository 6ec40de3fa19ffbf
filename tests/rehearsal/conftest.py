"""The rehearsal's endpoints over a real broker and a real document store, on free ports, with short idle times."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from fraudstream.cloud.rehearsal import environment
from fraudstream.cloud.rehearsal.endpoints import Endpoints
from fraudstream.cloud.rehearsal.environment import Keys, Plan, Ports
from fraudstream.cloud.rehearsal.eventhubs.namespace import broker_part
from fraudstream.cloud.rehearsal.net import certificates
from fraudstream.cloud.rehearsal.net.certificates import Certificates
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import TOPICS
from fraudstream.runtime.parts import documentstore
from tests.stack.conftest import Running

IDLE_SECONDS = 6.0


@dataclass
class Cloud:
    """Everything that a test of the endpoints needs; ``front`` are the services' settings."""

    endpoints: Endpoints
    keys: Keys
    ports: Ports
    certificates: Certificates
    behind: Settings
    front: Settings

    @property
    def trust(self) -> ssl.SSLContext:
        return self.certificates.client_context()

    def front_with(self, **changes: Any) -> Settings:
        values = {name: getattr(self.front, name) for name in Settings.model_fields}
        return Settings(**(values | changes))


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    folder = tmp_path_factory.mktemp("cloud")
    plan = Plan(request_units=100_000.0, throughput_units=1, idle_seconds=IDLE_SECONDS)
    keys, ports = Keys.new(), Ports.free()
    tls = certificates.create(folder / "tls")
    behind = environment.settings_behind(folder / "data")
    front = environment.settings_in_front(folder / "data", keys, ports, tls, plan)
    endpoints = Endpoints(plan, keys, ports, tls, behind, front.scoring_port)
    endpoints.start()
    behind.data_dir.mkdir(parents=True, exist_ok=True)
    parts = [broker_part(behind, endpoints.namespace, tls), documentstore.part(behind)]
    running = [Running(part, behind.data_dir / f"{part.name}.log") for part in parts]
    endpoints.control_plane.deploy(TOPICS, 4)
    yield Cloud(endpoints, keys, ports, tls, behind, front)
    endpoints.stop()
    for process in running:
        process.stop()
