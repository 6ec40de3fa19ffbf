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
from fraudstream.core.errors import ModelError
from fraudstream.core.registry import LoadedModel
from fraudstream.scoring.app import create_app

NO_CHAMPION = "The registered model 'fraud' has no champion yet. Run `fraudstream train`."


@dataclass
class FakeModel:
    """Scores a row by its amount alone: amount / 1000, plus ``offset``."""

    threshold: float = 0.5
    offset: float = 0.0
    failure: Exception | None = None

    def score_columns(self, columns: Mapping[str, Sequence[Any]]) -> np.ndarray:
        if self.failure:
            raise self.failure
        return np.asarray(columns["amount"], dtype=np.float64) / 1000 + self.offset

    def explain_columns(self, columns: Mapping[str, Sequence[Any]], top: int = 3) -> list[list[dict[str, Any]]]:
        # A numpy number, as a model may well give.
        return [[{"field": "amount", "contribution": np.float64(amount)}] for amount in columns["amount"]]


@dataclass
class FakeChampion:
    """What :class:`fraudstream.core.registry.Champion` offers, set by hand."""

    loaded: LoadedModel | None = None
    failure: Exception | None = None
    looks: int = 0

    def current(self) -> LoadedModel:
        self.looks += 1
        if self.failure:
            raise self.failure
        if self.loaded is None:
            raise ModelError(NO_CHAMPION)
        return self.loaded


def version(number: int, **model: Any) -> LoadedModel:
    return LoadedModel(str(number), FakeModel(**model), {})


@pytest.fixture
def make_version() -> Callable[..., LoadedModel]:
    return version


ClientFactory = Callable[..., TestClient]


@pytest.fixture
def champion() -> FakeChampion:
    return FakeChampion(version(3))


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
