"""The whole chain under Compose, on a project and ports of the tests' own."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from fraudstream.core.configuration.settings import Settings
from fraudstream.runtime.supervise.preflight import free_port
from tests.containers import Compose, require_engine

PORTS = ("kafka", "mongo", "mlflow", "scoring", "dashboard")
# What runs after `docker compose up`, in the order of the data's way.
RUNNING = ("kafka", "mongo", "mlflow", "scoring", "stream", "store", "dashboards", "generator")
UP_SECONDS = 600


@dataclass(frozen=True)
class Chain:
    """A chain that is up; ``settings`` reach it by the published ports. ``up_at``: when `up` was typed."""

    compose: Compose
    settings: Settings
    up_at: datetime


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    require_engine()
    ports = {f"{name}_port": free_port() for name in PORTS}
    variables = {f"FRAUDSTREAM_{name.upper()}": str(port) for name, port in ports.items()}
    compose = Compose(f"fraudstream-test-{os.getpid()}", variables)
    up_at = datetime.now(UTC)
    began = time.monotonic()
    try:
        compose.run("up", "--detach", "--quiet-pull", seconds=UP_SECONDS)
        compose.await_healthy(*RUNNING, seconds=UP_SECONDS - (time.monotonic() - began))
        yield Chain(compose, Settings(**ports), up_at)
    finally:
        print(compose.run("ps", "--all"), compose.run("logs", "--no-color", "--tail", "40"))  # noqa: T201
        compose.run("--profile", "*", "down", "--volumes", "--timeout", "20")
