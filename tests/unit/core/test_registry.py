"""The champion: looked up by tag, swapped whole, and kept while the registry is away."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import mlflow
import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INTERNAL_ERROR, PERMISSION_DENIED, RESOURCE_DOES_NOT_EXIST
from mlflow.store.entities import PagedList

from fraudstream.core import registry
from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.errors import ConfigurationError, ModelError, RegistryRefused, RegistryUnavailable
from fraudstream.core.registry import Champion, LoadedModel, champion_version


@dataclass
class FakeRegistry:
    """Version → tags, as an MLflow client would tell them."""

    versions: dict[int, dict[str, str]] = field(default_factory=dict)
    away: bool = False
    code: int = INTERNAL_ERROR
    page: int = 1_000
    searches: list[str] = field(default_factory=list)

    def search_model_versions(self, query: str, page_token: str | None = None) -> PagedList[Any]:
        self.searches.append(query)
        if self.away:
            raise MlflowException("nobody listens", self.code)
        found = [SimpleNamespace(version=str(number), tags=tags) for number, tags in self.versions.items()]
        start = int(page_token or 0)
        behind = start + self.page if start + self.page < len(found) else None
        return PagedList(found[start : start + self.page], str(behind) if behind else None)

    def promote(self, version: int) -> None:
        self.versions = {number: {"role": "none"} for number in self.versions} | {version: {"role": "champion"}}


@dataclass
class Clock:
    now: float = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeRegistry:
    server = FakeRegistry()
    monkeypatch.setattr(registry, "registry_client", lambda _settings: server)
    return server


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(registry, "time", clock)
    return clock


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The versions that were loaded; version 13 cannot be."""
    loaded: list[str] = []

    def load(_settings: Any, version: str) -> LoadedModel:
        loaded.append(version)
        if version == "13":
            raise ModelError("Version 13 cannot be loaded")
        return LoadedModel(version, SimpleNamespace(threshold=0.5), {})  # type: ignore[arg-type]

    monkeypatch.setattr(registry, "load_version", load)
    return loaded


@pytest.fixture
def champion(server: FakeRegistry, clock: Clock, loads: list[str]) -> Champion:
    return Champion(load_settings(champion_poll_seconds=2))


def loaded_pyfunc() -> Any:
    """MLflow replaces its lazy ``pyfunc`` by the real module at the first use; only that one is worth patching."""
    assert mlflow.pyfunc.load_model
    return mlflow.pyfunc


def test_the_tag_makes_the_champion(server: FakeRegistry) -> None:
    server.versions = {1: {"role": "champion"}, 2: {"role": "challenger"}, 3: {}}
    assert champion_version(load_settings(model_name="cards")) == "1"
    assert server.searches == ["name='cards'"]


def test_of_two_champions_the_newer_counts_by_number(server: FakeRegistry) -> None:
    server.versions = {9: {"role": "champion"}, 10: {"role": "champion"}}
    assert champion_version(load_settings()) == "10"


def test_versions_beyond_the_first_page_count(server: FakeRegistry) -> None:
    server.versions = {number: {} for number in range(1, 1_205)} | {1_205: {"role": "champion"}}
    server.page = 200
    assert champion_version(load_settings()) == "1205"
    assert len(server.searches) == 7


def test_a_tag_typed_by_hand_and_a_version_with_a_name_are_understood(server: FakeRegistry) -> None:
    server.versions = {1: {"Role": "Champion "}, 2: {"role": "challenger"}}
    assert champion_version(load_settings()) == "1"
    server.versions |= {"2024-01-01": {"role": "champion"}}  # type: ignore[dict-item]
    assert champion_version(load_settings()) == "1"
    del server.versions[1]
    assert champion_version(load_settings()) == "2024-01-01"


@pytest.mark.parametrize("code", [PERMISSION_DENIED, RESOURCE_DOES_NOT_EXIST])
def test_a_registry_that_refuses_is_not_called_away(server: FakeRegistry, code: int) -> None:
    server.away, server.code = True, code
    with pytest.raises(RegistryRefused, match=r"refuses it.*FRAUDSTREAM_MODEL_NAME \('fraud'\)"):
        champion_version(load_settings())


def test_before_the_first_promotion_there_is_none(server: FakeRegistry) -> None:
    server.versions = {1: {}}
    assert champion_version(load_settings()) is None


def test_mlflows_own_text_loses_the_password_too() -> None:
    settings = load_settings(mlflow_tracking_uri="https://user:hush@host:5000")
    told = str(registry.registry_error(settings, OSError("request to https://user:hush@host:5000/api failed")))
    assert "request to https://user:********@host:5000/api failed" in told
    assert "hush" not in told


@pytest.mark.parametrize("before", range(185, 200, 2))
def test_what_is_cut_of_mlflows_text_holds_no_piece_of_a_secret(
    before: int, monkeypatch: pytest.MonkeyPatch, server: FakeRegistry
) -> None:
    settings = load_settings(scoring_key="qX7pL9zR wN4v")
    error = OSError(f"{'x' * before}qX7pL9zR wN4v and more")

    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(loaded_pyfunc(), "load_model", fail)
    with pytest.raises(ModelError) as caught:
        registry.load_version(settings, "7")
    told = [str(registry.registry_error(settings, error)), str(caught.value)]
    failing = SimpleNamespace(unwrap_python_model=lambda: SimpleNamespace(score_columns=fail, threshold=0.5))
    monkeypatch.setattr(loaded_pyfunc(), "load_model", lambda _uri: failing)
    server.get_model_version = lambda _name, _version: SimpleNamespace(run_id="")  # type: ignore[attr-defined]
    with pytest.raises(ModelError, match="cannot score") as caught:
        registry.load_version(settings, "7")
    for text in (*told, str(caught.value)):
        assert "x" * 185 in text
        assert "qX" not in text


def test_a_registry_that_is_away_is_named_without_its_password(server: FakeRegistry) -> None:
    server.away = True
    with pytest.raises(RegistryUnavailable, match="nobody listens") as caught:
        champion_version(load_settings(mlflow_tracking_uri="http://user:hush@host:5000"))
    assert "host:5000" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_without_an_address_no_registry_is_opened_in_the_working_folder() -> None:
    with pytest.raises(ConfigurationError, match=r"^FRAUDSTREAM_MLFLOW_TRACKING_URI is empty"):
        registry.registry_client(load_settings(mlflow_tracking_uri=""))


@pytest.mark.parametrize(
    "address",
    ["htp://127.0.0.1:5000", "azureml://workspace", "127.0.0.1", "databricks-uc", "ftp://ana:hush@host/runs"],
)
def test_an_address_that_mlflow_cannot_open_is_named_by_its_variable(address: str) -> None:
    settings = load_settings().model_copy(update={"mlflow_tracking_uri": address})
    for asked in (registry.registry_client, champion_version, lambda one: registry.load_version(one, "1")):
        with pytest.raises(
            ConfigurationError, match=r"^FRAUDSTREAM_MLFLOW_TRACKING_URI is .*, which MLflow cannot open"
        ) as caught:
            asked(settings)
        assert "Set it to the MLflow server's address" in str(caught.value)
        assert "hush" not in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_server_that_is_away_while_a_client_is_made_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: str) -> None:
        raise OSError("nobody listens")

    monkeypatch.setattr(mlflow, "MlflowClient", away)
    with pytest.raises(RegistryUnavailable, match="nobody listens"):
        registry.registry_client(load_settings())


def test_the_champion_is_loaded_once(champion: Champion, server: FakeRegistry, clock: Clock, loads: list[str]) -> None:
    server.promote(4)
    assert champion.loaded is None
    assert champion.current().version == "4"
    clock.now += 10
    assert champion.current() is champion.loaded
    assert loads == ["4"]


def test_the_registry_is_asked_once_per_interval(champion: Champion, server: FakeRegistry, clock: Clock) -> None:
    server.promote(4)
    for _ in range(5):
        champion.current()
    clock.now += 1.9
    champion.current()
    assert len(server.searches) == 1
    clock.now += 0.1
    champion.current()
    assert len(server.searches) == 2


def test_a_promotion_swaps_the_model_and_leaves_snapshots_whole(
    champion: Champion, server: FakeRegistry, clock: Clock
) -> None:
    server.promote(4)
    before = champion.current()
    server.promote(5)
    assert champion.current() is before
    clock.now += 2
    assert champion.current().version == "5"
    assert before.version == "4"
    server.promote(4)
    clock.now += 2
    assert champion.current().version == "4"


def test_a_registry_that_goes_away_does_not_stop_scoring(
    champion: Champion, server: FakeRegistry, clock: Clock
) -> None:
    server.promote(4)
    champion.current()
    server.away = True
    clock.now += 2
    assert champion.current().version == "4"
    assert len(server.searches) == 2
    server.away = False
    server.promote(5)
    clock.now += 2
    assert champion.current().version == "5"


def test_a_champion_that_cannot_be_loaded_leaves_the_old_one(
    champion: Champion, server: FakeRegistry, clock: Clock, loads: list[str]
) -> None:
    server.promote(4)
    champion.current()
    server.promote(13)
    clock.now += 2
    assert champion.current().version == "4"
    assert loads == ["4", "13"]


def test_a_champion_that_is_demoted_serves_until_there_is_another(
    champion: Champion, server: FakeRegistry, clock: Clock
) -> None:
    server.promote(4)
    champion.current()
    server.versions = {4: {}}
    clock.now += 2
    assert champion.current().version == "4"


def test_no_champion_says_how_to_get_one(champion: Champion, server: FakeRegistry, clock: Clock) -> None:
    with pytest.raises(ModelError, match=r"has no champion yet.*fraudstream train"):
        champion.current()
    server.promote(1)
    with pytest.raises(ModelError, match="has no champion yet"):
        champion.current()
    clock.now += 2
    assert champion.current().version == "1"


def test_a_first_look_up_that_fails_is_not_repeated_by_every_caller(
    champion: Champion, server: FakeRegistry, clock: Clock
) -> None:
    server.away = True
    for _ in range(3):
        with pytest.raises(RegistryUnavailable, match="nobody listens"):
            champion.current()
    assert len(server.searches) == 1
    server.away = False
    server.promote(2)
    clock.now += 2
    assert champion.current().version == "2"


def test_a_model_that_cannot_be_fetched_is_named(monkeypatch: pytest.MonkeyPatch, server: FakeRegistry) -> None:
    def fail(uri: str) -> None:
        raise OSError(f"no artifacts at {uri}")

    monkeypatch.setattr(loaded_pyfunc(), "load_model", fail)
    with pytest.raises(ModelError, match=r"Version 7 of the registered model 'fraud'.*models:/fraud/7"):
        registry.load_version(load_settings(), "7")


class Answering:
    """A model of ours in form, which answers with the given score and threshold."""

    def __init__(self, score: Any, threshold: float = 0.5) -> None:
        self.score, self.threshold = score, threshold

    def score_columns(self, columns: Any) -> list[Any]:
        assert {len(values) for values in columns.values()} == {1}
        return [self.score]


@pytest.mark.parametrize("model", [Answering(float("nan")), Answering(0.5, float("nan")), Answering("much")])
def test_a_model_that_cannot_score_is_refused(monkeypatch: pytest.MonkeyPatch, server: Any, model: Answering) -> None:
    monkeypatch.setattr(loaded_pyfunc(), "load_model", lambda _uri: SimpleNamespace(unwrap_python_model=lambda: model))
    server.get_model_version = lambda _name, _version: SimpleNamespace(run_id="")
    with pytest.raises(ModelError, match="cannot score"):
        registry.load_version(load_settings(), "7")


def test_a_run_that_is_gone_takes_nothing_from_its_model(monkeypatch: pytest.MonkeyPatch, server: Any) -> None:
    def gone(_run: str) -> None:
        raise MlflowException("no such run", RESOURCE_DOES_NOT_EXIST)

    loaded = SimpleNamespace(unwrap_python_model=lambda: Answering(0.5))
    monkeypatch.setattr(loaded_pyfunc(), "load_model", lambda _uri: loaded)
    server.get_model_version = lambda _name, _version: SimpleNamespace(run_id="r")
    server.get_run = gone
    assert registry.load_version(load_settings(), "7").metrics == {}


def test_a_registry_that_goes_away_before_the_metrics_is_away(monkeypatch: pytest.MonkeyPatch, server: Any) -> None:
    def away(_run: str) -> None:
        raise MlflowException("nobody listens", INTERNAL_ERROR)

    loaded = SimpleNamespace(unwrap_python_model=lambda: Answering(0.5))
    monkeypatch.setattr(loaded_pyfunc(), "load_model", lambda _uri: loaded)
    server.get_model_version = lambda _name, _version: SimpleNamespace(run_id="r")
    server.get_run = away
    with pytest.raises(RegistryUnavailable, match="nobody listens"):
        registry.load_version(load_settings(), "7")


def test_a_model_of_somebody_else_is_refused(monkeypatch: pytest.MonkeyPatch, server: Any) -> None:
    foreign = SimpleNamespace(unwrap_python_model=lambda: SimpleNamespace(predict=None))
    monkeypatch.setattr(loaded_pyfunc(), "load_model", lambda _uri: foreign)
    server.get_model_version = lambda _name, _version: SimpleNamespace(run_id="")
    with pytest.raises(ModelError, match="has no score_columns"):
        registry.load_version(load_settings(), "7")
