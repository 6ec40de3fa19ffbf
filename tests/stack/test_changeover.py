"""A champion without trees: the running real-time job hands over to the service and takes over again, without loss."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import REJECTED, SCORED
from fraudstream.core.kafka.clients import create_topics
from fraudstream.core.registry import registry_client
from fraudstream.ml.algorithms import boosting
from fraudstream.ml.registry import promote
from fraudstream.runtime.parts.local import local_parts
from fraudstream.runtime.supervise.preflight import free_port
from tests.stack.conftest import Running, SparkJob, await_condition
from tests.stack.test_stream_job import places, publish, read
from tests.unit.ml.test_training import trained

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

SECONDS = 240


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    data = tmp_path_factory.mktemp("data")
    ports = {name: free_port() for name in ("kafka_port", "kafka_controller_port", "scoring_port")}
    return Settings(
        data_dir=data,
        mlflow_tracking_uri=f"sqlite:///{data / 'mlflow.db'}",
        champion_poll_seconds=0.5,
        realtime_checkpoint_seconds=5,
        scoring="embedded",
        **ports,
    )


class Plain(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
    """Of tests' folders MLflow would keep the name alone: the class is kept by value."""

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        return (model_input["amount"] > 10).astype(float) * 0.75


@pytest.fixture
def versions(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[str, str]:
    """The champion, which has trees, and a version without."""
    import cloudpickle

    cloudpickle.register_pickle_by_value(__import__(__name__, fromlist=["Plain"]))
    monkeypatch.setattr(boosting, "DEPTHS", (1,))
    first = trained(settings, monkeypatch, 5, tmp_path)
    signature = ModelSignature(inputs=Schema([ColSpec("double", "amount")]))
    mlflow.pyfunc.save_model(tmp_path / "plain", python_model=Plain(), signature=signature)
    plain = registry_client(settings).create_model_version(settings.model_name, source=str(tmp_path / "plain"))
    return first.version, str(plain.version)


@pytest.fixture
def service(settings: Settings, versions: tuple[str, str]) -> Iterator[Running]:
    (part,) = (part for part in local_parts(settings) if part.name == "scoring")
    running = Running(part, settings.data_dir / "scoring.log")
    yield running
    running.stop()


class Traffic:
    """Sends events without a pause longer than half a second, every tenth of them broken, until it is left."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send)
        self.sent = 0

    def _send(self) -> None:
        while not self._stop.wait(0.5):
            publish(self._settings, 1 + self.sent, 20)
            self.sent += 20

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()


def test_a_job_changes_over_to_the_service_and_back_without_losing_an_event(
    broker: Running, settings: Settings, versions: tuple[str, str], service: Running
) -> None:
    create_topics(settings)
    with_trees, without = versions
    job = SparkJob(settings, "stream")

    def newest_is_scored_by(version: str) -> Callable[[], bool]:
        return lambda: (
            max(read(settings, SCORED), key=lambda event: event["id"], default={}).get("model_version") == version
        )

    try:
        with Traffic(settings) as traffic:
            for version in (with_trees, without, with_trees):
                promote(settings, version)
                await_condition(newest_is_scored_by(version), SECONDS, job.log)
        await_condition(lambda: len(places(read(settings, SCORED))) >= traffic.sent * 9 // 10, SECONDS, job.log)
        scored, rejected = read(settings, SCORED), read(settings, REJECTED)
    finally:
        job.kill()
    assert {event["id"] for event in scored} == {number for number in range(1, traffic.sent + 1) if number % 10}
    assert len(places(rejected)) == traffic.sent // 10
    by_service = [event for event in scored if event["model_version"] == without]
    assert {(event["prediction"], event["score"], event["threshold"]) for event in by_service} == {(1, 0.75, 0.5)}
    assert job.log.read_text("utf-8").count("scoring_changes_over") == 2
