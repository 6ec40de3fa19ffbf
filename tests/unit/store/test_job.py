"""When the rollups may start, and when they are counted anew."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kafka import TopicPartition

from fraudstream.core.configuration.settings import Settings, load_settings
from fraudstream.core.errors import BrokerUnavailable
from fraudstream.core.streaming.fit import TopicState
from fraudstream.store import job, rollup_query
from fraudstream.store.rollup_query import RollupQuery

PART = TopicPartition("scored", 0)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(data_dir=tmp_path)


def query(written: int, *, waits: bool) -> Any:
    source = {"description": "KafkaV2[Subscribe[scored]]", "endOffset": {"scored": {"0": written}}}
    return SimpleNamespace(lastProgress={"sources": [source]}, status={"isDataAvailable": waits})


class Looks:
    """What the broker says of the topics' ends, and what time it is, each time that somebody looks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.end: int | Exception = 0
        self.now = 1_000.0
        monkeypatch.setattr(TopicState, "read", self._read)
        monkeypatch.setattr(job, "time", SimpleNamespace(monotonic=lambda: self.now))

    def _read(self, *_: Any) -> TopicState:
        if isinstance(self.end, Exception):
            raise self.end
        return TopicState({PART: 0}, {PART: self.end}, {})


def test_documents_have_caught_up_under_traffic_that_never_pauses(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = Looks(monkeypatch)
    documents = job._Documents(None, settings)  # type: ignore[arg-type]
    answers = []
    for now, end, written in [
        (1_000, 50_000, 100),
        (1_005, 50_100, 20_000),
        (1_016, 50_300, 50_200),
        (1_032, 50_600, 50_250),
    ]:
        looks.now, looks.end = now, end
        answers.append(documents.has_caught_up(query(written, waits=True)))
    # At last what stood there sixteen seconds before has not been written: 50,300.
    assert answers == [False, False, True, False]


def test_documents_without_anything_to_do_have_caught_up(settings: Settings) -> None:
    documents = job._Documents(None, settings)  # type: ignore[arg-type]
    assert documents.has_caught_up(query(5, waits=False))
    assert not documents.has_caught_up(None)
    assert not documents.has_caught_up(SimpleNamespace(lastProgress=None))


def test_a_broker_that_is_away_ends_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Looks(monkeypatch)
    looks.end = BrokerUnavailable("Kafka does not answer.")
    assert not job._Documents(None, settings).has_caught_up(query(5, waits=True))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("waiting", "is_old", "anew"), [(20_000, True, False), (20_001, True, True), (50_000, False, False)]
)
def test_a_backlog_that_the_watermark_would_pass_is_counted_from_the_documents(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, waiting: int, is_old: bool, anew: bool
) -> None:
    monkeypatch.setattr(rollup_query, "waited_longer", lambda *_: is_old)
    topics = TopicState({PART: 0}, {PART: 100 + waiting}, {})
    rollups = RollupQuery(None, settings)  # type: ignore[arg-type]
    assert rollups.is_far_behind({PART: 100}, topics) == anew
