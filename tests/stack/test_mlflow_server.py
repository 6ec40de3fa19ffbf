"""MLflow's server as the supervisor starts it, from a folder in which there is nothing yet."""

from __future__ import annotations

import threading
from pathlib import Path

import httpx
import pytest

from fraudstream.core.configuration.settings import Settings
from fraudstream.runtime.parts.local import local_parts
from fraudstream.runtime.supervise.preflight import free_port
from tests.stack.conftest import Running

pytestmark = [pytest.mark.stack, pytest.mark.timeless]

QUESTIONS = (
    "experiments/search?max_results=1",
    "model-versions/search?filter=name%3D%27fraud%27",
    "registered-models/search",
)


def test_those_who_ask_while_it_starts_break_nothing(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, mlflow_port=free_port())
    (part,) = (part for part in local_parts(settings) if part.name == "mlflow")
    address = f"http://127.0.0.1:{settings.mlflow_port}/api/2.0/mlflow"
    started = threading.Event()
    answers: list[int] = []

    def ask(question: str) -> None:
        while not started.is_set():
            try:
                answers.append(httpx.get(f"{address}/{question}", timeout=10).status_code)
            except httpx.HTTPError:
                continue

    askers = [threading.Thread(target=ask, args=(question,)) for question in QUESTIONS]
    for asker in askers:
        asker.start()
    try:
        server = Running(part, tmp_path / "mlflow.log")
    finally:
        started.set()
        for asker in askers:
            asker.join()
    try:
        assert {httpx.get(f"{address}/{question}", timeout=10).status_code for question in QUESTIONS} == {200}
        assert set(answers) <= {200}
    finally:
        server.stop()
