"""A model whose scores can be foretold, and applications over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.contract.event import AMOUNT
from fraudstream.core.registry import LoadedModel
from fraudstream.scoring.app import create_app
from fraudstream.scoring.champion import ServedChampion


@dataclass
class FakeModel:
    """Scores a row by its amount alone: amount / 1000, plus ``offset``."""

    threshold: float = 0.5
    offset: float = 0.0
    failure: Exception | None = None

    def score_columns(self, columns: Mapping[str, Sequence[Any]]) -> np.ndarray:
        if self.failure:
            raise self.failure
        return np.asarray(columns[AMOUNT], dtype=np.float64) / 1000 + self.offset

    def explain_columns(self, columns: Mapping[str, Sequence[Any]], top: int = 3) -> list[list[dict[str, Any]]]:
        # A numpy number, as a model may well give.
        return [[{"field": AMOUNT, "contribution": np.float64(amount)}] for amount in columns[AMOUNT]]


class FakeChampion(ServedChampion):
    """A served champion whose registry answers ``failure``, or with the version that is set by hand in ``loaded``."""

    def __init__(self, loaded: LoadedModel) -> None:
        super().__init__(load_settings(champion_poll_seconds=0.02))
        self.loaded = loaded
        self.failure: Exception | None = None
        self.looks = 0

    def registered_version(self, *_: Any) -> str | None:
        self.looks += 1
        if self.failure:
            raise self.failure
        return self.loaded.version if self.loaded else None


def version(number: int, **model: Any) -> LoadedModel:
    return LoadedModel(str(number), FakeModel(**model), {})


@pytest.fixture
def make_version() -> Callable[..., LoadedModel]:
    return version


ClientFactory = Callable[..., TestClient]


@pytest.fixture
def champion(monkeypatch: pytest.MonkeyPatch) -> FakeChampion:
    champion = FakeChampion(version(3))
    monkeypatch.setattr("fraudstream.core.registry.registry_client", lambda _settings: None)
    monkeypatch.setattr("fraudstream.core.registry.champion_version", champion.registered_version)
    monkeypatch.setattr("fraudstream.scoring.champion.load_version", lambda _settings, _version: champion.loaded)
    return champion


@pytest.fixture
def client_of() -> Iterator[ClientFactory]:
    """Start an application over a champion; settings as keywords."""
    with ExitStack() as started:

        def start(champion: FakeChampion, **settings: Any) -> TestClient:
            settings = {"champion_poll_seconds": 0.02, **settings}
            return started.enter_context(TestClient(create_app(champion, load_settings(**settings))))

        yield start


@pytest.fixture
def client(client_of: ClientFactory, champion: FakeChampion) -> TestClient:
    return client_of(champion)
