"""The champion: looked up by tag, followed, and kept while the registry is away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import mlflow
import pytest
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.protos.databricks_pb2 import INTERNAL_ERROR, PERMISSION_DENIED, RESOURCE_DOES_NOT_EXIST
from mlflow.store.entities import PagedList
from mlflow.types import ColSpec, Schema

from fraudstream.core import registry
from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.errors import ConfigurationError, ModelError, RegistryRefused, RegistryUnavailable
from fraudstream.core.registry import ChampionFollower, Missed, champion_version


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
        versions = [SimpleNamespace(version=str(number), tags=tags) for number, tags in self.versions.items()]
        start = int(page_token or 0)
        behind = start + self.page if start + self.page < len(versions) else None
        return PagedList(versions[start : start + self.page], str(behind) if behind else None)

    def promote(self, version: int) -> None:
        self.versions = {number: {"role": "none"} for number in self.versions} | {version: {"role": "champion"}}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeRegistry:
    server = FakeRegistry()
    monkeypatch.setattr(registry, "registry_client", lambda _settings: server)
    return server


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
    message = str(registry.registry_error(settings, OSError("request to https://user:hush@host:5000/api failed")))
    assert "request to https://user:********@host:5000/api failed" in message
    assert "hush" not in message


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
    messages = [str(registry.registry_error(settings, error)), str(caught.value)]
    failing = SimpleNamespace(unwrap_python_model=lambda: SimpleNamespace(score_columns=fail, threshold=0.5))
    monkeypatch.setattr(loaded_pyfunc(), "load_model", lambda _uri: failing)
    server.get_model_version = lambda _name, _version: SimpleNamespace(run_id="")  # type: ignore[attr-defined]
    with pytest.raises(ModelError, match="cannot score") as caught:
        registry.load_version(settings, "7")
    for text in (*messages, str(caught.value)):
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
    for asked in (registry.registry_client, champion_version, lambda settings: registry.load_version(settings, "1")):
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


@dataclass
class Follower:
    """A follower of the fake registry, with what it took up and reported; version 13 cannot be taken up."""

    taken_up: list[str] = field(default_factory=list)
    reports: list[Missed | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.follower = ChampionFollower(load_settings(champion_poll_seconds=0.01), self.take_up, self.reports.append)

    def take_up(self, version: str) -> None:
        self.taken_up.append(version)
        if version == "13":
            raise ModelError("Version 13 cannot be loaded")

    def look(self) -> str | None:
        self.follower.look()
        return self.follower.version


def test_each_new_champion_is_taken_up_once(server: FakeRegistry) -> None:
    followed = Follower()
    server.promote(4)
    assert [followed.look(), followed.look()] == ["4", "4"]
    server.promote(5)
    assert followed.look() == "5"
    server.promote(4)
    assert followed.look() == "4"
    assert followed.taken_up == ["4", "5", "4"]
    assert followed.reports == [None] * 4


def test_what_was_taken_up_before_is_not_taken_up_again(server: FakeRegistry) -> None:
    server.promote(4)
    taken_up: list[str] = []
    ChampionFollower(load_settings(), taken_up.append, lambda _: None, version="4").look()
    assert taken_up == []


def test_a_registry_that_is_away_leaves_the_version_in_use_and_is_news_once(server: FakeRegistry) -> None:
    followed = Follower()
    server.promote(4)
    followed.look()
    server.away = True
    assert [followed.look(), followed.look()] == ["4", "4"]
    server.away = False
    server.promote(5)
    assert followed.look() == "5"
    server.away = True
    followed.look()
    news = [report and report.is_news for report in followed.reports]
    assert news == [None, True, False, None, True]
    assert isinstance(followed.reports[1].error, RegistryUnavailable)  # type: ignore[union-attr]


def test_a_champion_that_cannot_be_taken_up_is_tried_again_at_each_look(server: FakeRegistry) -> None:
    followed = Follower()
    server.promote(4)
    followed.look()
    server.promote(13)
    assert [followed.look(), followed.look()] == ["4", "4"]
    assert followed.taken_up == ["4", "13", "13"]
    server.promote(14)
    assert followed.look() == "14"


def test_no_champion_is_reported_without_an_error(server: FakeRegistry) -> None:
    followed = Follower()
    assert [followed.look(), followed.look()] == [None, None]
    server.promote(4)
    followed.look()
    server.versions = {4: {}}
    assert followed.look() == "4"
    assert followed.reports == [Missed(None, True), Missed(None, False), None, Missed(None, True)]


@pytest.mark.parametrize("error", [RuntimeError, KeyError, RegistryUnavailable])
def test_a_text_that_changes_at_each_attempt_is_no_news(
    monkeypatch: pytest.MonkeyPatch, server: FakeRegistry, error: type[Exception]
) -> None:
    texts = iter(["at 0x1", "at 0x2", "at 0x3"])

    def fail(*_: Any) -> None:
        raise error(next(texts))

    monkeypatch.setattr(registry, "champion_version", fail)
    followed = Follower()
    for _ in range(3):
        followed.look()
    assert [report and report.is_news for report in followed.reports] == [True, False, False]


def test_an_error_of_ours_with_another_text_is_news(monkeypatch: pytest.MonkeyPatch, server: FakeRegistry) -> None:
    texts = iter(["Version 3 cannot be loaded", "Version 3 cannot be loaded", "Version 4 cannot be loaded"])

    def fail(*_: Any) -> None:
        raise ModelError(next(texts))

    monkeypatch.setattr(registry, "champion_version", fail)
    followed = Follower()
    for _ in range(3):
        followed.look()
    assert [report and report.is_news for report in followed.reports] == [True, False, True]


def test_the_thread_looks_until_it_is_stopped_though_the_registry_hangs(
    monkeypatch: pytest.MonkeyPatch, server: FakeRegistry
) -> None:
    followed, hung, release = Follower(), threading.Event(), threading.Event()
    server.promote(4)
    followed.follower.start()
    wait_until(lambda: len(followed.reports) > 2)

    def hang(*_: Any) -> None:
        hung.set()
        release.wait(30)

    monkeypatch.setattr(registry, "champion_version", hang)
    assert hung.wait(10)
    began = time.monotonic()
    followed.follower.stop()
    assert time.monotonic() - began < 2
    release.set()
    assert followed.taken_up == ["4"]


def test_an_event_of_the_caller_ends_the_thread_too(server: FakeRegistry) -> None:
    stop = threading.Event()
    reports: list[Missed | None] = []
    follower = ChampionFollower(load_settings(champion_poll_seconds=60), lambda _: None, reports.append, stop=stop)
    follower.start()
    wait_until(lambda: bool(reports))
    stop.set()
    wait_until(lambda: all(thread.name != "champion-follower" for thread in threading.enumerate()))


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


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
    signature = ModelSignature(inputs=Schema([ColSpec("double", "V1")]))
    foreign = SimpleNamespace(
        unwrap_python_model=lambda: SimpleNamespace(predict=None), metadata=SimpleNamespace(signature=signature)
    )
    monkeypatch.setattr(loaded_pyfunc(), "load_model", lambda _uri: foreign)
    server.get_model_version = lambda _name, _version: SimpleNamespace(run_id="", tags={})
    with pytest.raises(ModelError, match=r"cannot score .V1: the model needs it"):
        registry.load_version(load_settings(), "7")
