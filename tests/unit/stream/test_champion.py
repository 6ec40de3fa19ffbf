"""The trees that the stream scores with: taken up whole, and left alone where the registry's are broken."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import mlflow
import pytest
from kafka import TopicPartition
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema
from structlog.testing import capture_logs

from fraudstream.core.configuration.settings import Settings, load_settings
from fraudstream.core.contract.event import plain_inputs
from fraudstream.core.errors import ModelError, RegistryUnavailable
from fraudstream.core.kafka.progress import ProgressReporter
from fraudstream.core.registry import ChampionFollower, load_version, registry_client
from fraudstream.core.streaming.checkpoints import Checkpoint
from fraudstream.core.streaming.health import READY_FILE_VARIABLE, Failing, announce_ready, failing_sentence
from fraudstream.core.trees import download_trees
from fraudstream.ml.algorithms import boosting
from fraudstream.stream.champion import ChampionTrees, await_champion, champion_file, version_elsewhere
from fraudstream.stream.changeover import Changeover, in_force
from tests.unit.ml.test_training import trained

pytestmark = pytest.mark.timeless

BROKEN: dict[str, Any] = {
    "not JSON": "{",
    "no object": "[1]",
    "not ours": '{"trees": []}',
    "not finite": lambda trees: trees | {"base": float("nan")},
    "infinite leaf": lambda trees: trees | {"value": [float("inf"), *trees["value"][1:]]},
    "huge leaf": lambda trees: json.dumps(trees | {"value": [0, *trees["value"][1:]]}).replace("[0,", "[1e999,", 1),
    "other fields": lambda trees: trees | {"features": ["V1", "V2"]},
    "cut": lambda trees: trees | {"left": trees["left"][:-1]},
    "circle": lambda trees: trees | {"feature": [0] * len(trees["feature"])},
    "no roots": lambda trees: trees | {"roots": []},
    "threshold": lambda trees: trees | {"threshold": None},
}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setattr(boosting, "DEPTHS", (1,))
    return Settings(mlflow_tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}", data_dir=tmp_path / "data")


def warnings(champion: ChampionTrees) -> list[str]:
    with capture_logs() as logs:
        champion.look()
    return [str(entry["reason"]) for entry in logs if entry["event"] == "champion_not_taken_up"]


def test_what_cannot_score_is_told_once_and_the_version_at_hand_goes_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = trained(settings, monkeypatch, 5, tmp_path)
    champion = ChampionTrees(settings)
    assert warnings(champion) == []
    at_hand = champion_file(settings).read_text("utf-8")
    assert json.loads(at_hand)["version"] == first.version

    client = registry_client(settings)
    good = trained(settings, monkeypatch, 50, tmp_path)
    folder = Path(urlparse(client.get_model_version(settings.model_name, good.version).source).path)
    trees = json.loads((folder / "trees.json").read_text("utf-8"))
    for name, broken in BROKEN.items():
        content = broken if isinstance(broken, str) else broken(trees)
        (folder / "trees.json").write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        assert len(warnings(champion)) == 1, name
        assert champion_file(settings).read_text("utf-8") == at_hand, name
    assert warnings(champion) == []

    # Half of the artifacts, none of them, and a version that is deleted.
    (folder / "trees.json").unlink()
    assert "cannot be fetched" in warnings(champion)[0]
    shutil.rmtree(folder)
    assert "cannot be fetched" in warnings(champion)[0]
    client.delete_model_version(settings.model_name, good.version)
    assert warnings(champion) == ["no version is tagged as the champion any more"]
    assert champion_file(settings).read_text("utf-8") == at_hand
    assert ChampionTrees(settings).has_champion


def test_a_model_of_somebody_else_is_told(settings: Settings, tmp_path: Path) -> None:
    client = registry_client(settings)

    class Foreign(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
        def predict(self, context: Any, model_input: list[str]) -> list[str]:
            return model_input

    mlflow.pyfunc.save_model(tmp_path / "foreign", python_model=Foreign())
    client.create_registered_model(settings.model_name)
    client.create_model_version(settings.model_name, source=str(tmp_path / "foreign"), tags={"role": "champion"})
    champion = ChampionTrees(settings)
    assert "does not fit the project (day_of_week: a text, and the model's signature" in warnings(champion)[0]
    assert not champion.has_champion


def test_a_champion_without_trees_is_scored_elsewhere_until_the_next_one_has_trees(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Plain(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            return model_input["amount"] / 1_000

    first = trained(settings, monkeypatch, 5, tmp_path)
    client = registry_client(settings)
    columns = [ColSpec("double", "amount"), ColSpec("integer", "credit"), ColSpec("string", "day_of_week")]
    signature = ModelSignature(inputs=Schema(columns))
    mlflow.pyfunc.save_model(tmp_path / "plain", python_model=Plain(), signature=signature)
    registered = client.create_model_version(
        settings.model_name, source=str(tmp_path / "plain"), tags={"role": "champion", "threshold": "0.25"}
    )
    client.set_model_version_tag(settings.model_name, first.version, "role", "former")

    # Without a service there is nobody to score with it.
    champion = ChampionTrees(settings.model_copy(update={"scoring_url": ""}))
    assert "no scoring service is named" in warnings(champion)[0]
    settings = settings.model_copy(
        update={"scoring_url": "http://127.0.0.1:8000", "scoring": "embedded", "trigger": "realtime"}
    )
    champion = ChampionTrees(settings)
    assert warnings(champion) == []
    assert champion.has_champion
    assert version_elsewhere(settings) == str(registered.version)
    assert (in_force(settings).scoring, in_force(settings).trigger) == ("remote", "microbatch")

    loaded = load_version(settings, str(registered.version))
    row = {name: [plain] for name, plain in (plain_inputs() | {"amount": 300}).items()}
    assert (loaded.model.score_columns(row).tolist(), loaded.model.threshold) == ([0.3], 0.25)
    assert loaded.model.explain_columns(row) == [[]]

    client.set_model_version_tag(settings.model_name, registered.version, "role", "former")
    client.set_model_version_tag(settings.model_name, first.version, "role", "champion")
    assert warnings(champion) == []
    assert version_elsewhere(settings) is None
    assert in_force(settings) is settings


def test_a_query_changes_over_between_its_batches(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    now, finished, idle = 0.0, 5, False
    monkeypatch.setattr(Checkpoint, "committed", lambda _: {TopicPartition("transactions", 0): finished})
    here = settings.model_copy(update={"scoring": "embedded", "trigger": "realtime"})
    note = champion_file(settings).with_name("elsewhere.json")
    note.parent.mkdir(parents=True)
    changeover = Changeover(here, "stream", clock=lambda: now)

    def is_due(running: Settings) -> bool:
        return changeover.is_due(running, lambda: idle)

    assert not is_due(here)
    note.write_text('{"version": "7"}', "utf-8")
    elsewhere = in_force(here)
    # It waits for the batch that is under way, and no longer than one lasts.
    idle = True
    assert not is_due(here)
    finished = 6
    assert is_due(here)
    assert not is_due(here)
    now += here.realtime_checkpoint_seconds + 30
    assert is_due(here)
    assert not is_due(elsewhere)
    note.unlink()
    idle = False
    assert not is_due(elsewhere)
    idle = True
    assert is_due(elsewhere)


def test_a_job_that_waits_for_a_champion_fails_of_one_that_cannot_score(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(READY_FILE_VARIABLE, str(tmp_path / "ready"))
    failures: list[Failing | None] = []
    monkeypatch.setattr(ProgressReporter, "fail", lambda _, failing: failures.append(failing))
    registered = trained(settings, monkeypatch, 5, tmp_path)
    folder = Path(
        urlparse(registry_client(settings).get_model_version(settings.model_name, registered.version).source).path
    )
    good = (folder / "trees.json").read_text("utf-8")
    (folder / "trees.json").write_text("{", "utf-8")
    announce_ready()
    stop = threading.Event()
    waiting = threading.Thread(target=await_champion, args=(settings, stop))
    waiting.start()
    try:
        await_condition(lambda: bool(failing_sentence(tmp_path / "ready")))
        assert not (tmp_path / "ready").exists()
        sentence = failing_sentence(tmp_path / "ready") or ""
        assert f"The trees of version {registered.version} of 'fraud' cannot be fetched" in sentence
        assert "fraudstream models promote" in sentence
        (folder / "trees.json").write_text(good, "utf-8")
        waiting.join(timeout=30)
        assert not waiting.is_alive()
    finally:
        stop.set()
    assert (tmp_path / "ready").exists()
    assert failing_sentence(tmp_path / "ready") is None
    assert [failing is None for failing in failures] == [False, True]


def test_to_wait_for_the_first_champion_is_no_failure(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(READY_FILE_VARIABLE, str(tmp_path / "ready"))
    announce_ready()
    stop, looked = threading.Event(), threading.Event()
    look = ChampionFollower.look
    monkeypatch.setattr(ChampionFollower, "look", lambda self: (look(self), looked.set()))
    waiting = threading.Thread(target=await_champion, args=(settings, stop))
    waiting.start()
    try:
        assert looked.wait(60)
    finally:
        stop.set()
        waiting.join(timeout=30)
    assert (tmp_path / "ready").exists()
    assert failing_sentence(tmp_path / "ready") is None


@pytest.mark.parametrize(
    ("raised", "reason", "advice"),
    [
        (None, "FRAUDSTREAM_MLFLOW_TRACKING_URI is 'htp://127.0.0.1:5000', which MLflow cannot open", "Set it to"),
        (KeyError("version"), "The champion cannot be looked up (KeyError: 'version')", "log has the whole error"),
        (OSError(28, "No space left on device"), "No space left on device", "Free some room"),
    ],
    ids=["address", "unforeseen", "full disk"],
)
def test_a_job_whose_champion_cannot_be_looked_up_fails_and_goes_on_looking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception | None, reason: str, advice: str
) -> None:
    monkeypatch.setenv(READY_FILE_VARIABLE, str(tmp_path / "ready"))
    failures: list[Failing | None] = []
    monkeypatch.setattr(ProgressReporter, "fail", lambda _, failing: failures.append(failing))
    looks = 0

    def asked(settings: Settings, _client: object) -> None:
        nonlocal looks
        looks += 1
        if raised is not None:
            raise raised

    monkeypatch.setattr("fraudstream.core.registry.champion_version", asked)
    if raised is not None:
        monkeypatch.setattr("fraudstream.core.registry.registry_client", lambda _settings: None)
    settings = Settings(
        mlflow_tracking_uri="htp://127.0.0.1:5000", data_dir=tmp_path / "data", champion_poll_seconds=0.05
    )
    stop = threading.Event()
    waiting = threading.Thread(target=await_champion, args=(settings, stop))
    with capture_logs() as logs:
        waiting.start()
        try:
            await_condition(lambda: bool(failing_sentence(tmp_path / "ready")) and (raised is None or looks > 3))
        finally:
            stop.set()
            waiting.join(timeout=30)
    sentence = failing_sentence(tmp_path / "ready") or ""
    assert reason in sentence
    assert advice in sentence
    assert len(failures) == 1
    assert [entry["event"] for entry in logs] == ["champion_not_taken_up"]


def test_a_registry_that_is_away_is_no_failure_of_the_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        raise RegistryUnavailable("MLflow does not answer")

    monkeypatch.setattr("fraudstream.core.registry.registry_client", away)
    champion = ChampionTrees(Settings(data_dir=tmp_path))
    assert warnings(champion) == ["MLflow does not answer."]
    assert champion.refused is None


def await_condition(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"version": "3"}', "\ufffd"])
def test_a_file_at_hand_that_is_not_whole_is_none(settings: Settings, text: str) -> None:
    champion_file(settings).parent.mkdir(parents=True)
    champion_file(settings).write_text(text, "utf-8")
    assert not ChampionTrees(settings).has_champion


@pytest.mark.parametrize("before", range(185, 200, 2))
def test_what_is_cut_of_mlflows_text_holds_no_piece_of_a_secret(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    load_settings(scoring_key="qX7pL9zRwN4v")

    def fail(**_: str) -> None:
        raise OSError(f"{'x' * before}qX7pL9zRwN4v and more")

    monkeypatch.setattr(mlflow.artifacts, "download_artifacts", fail)
    with pytest.raises(ModelError) as caught:
        download_trees(settings, "1")
    assert "x" * 185 in str(caught.value)
    assert "qX" not in str(caught.value)
