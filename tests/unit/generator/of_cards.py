"""What the generator's commands make of the bundled project ``cards``: run by ``test_another_project.py``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from fraudstream.core.contract.event import FIRST_HISTORY_ID, FIRST_LIVE_ID, parse_event, parse_labelled
from fraudstream.core.contract.topics import LABELS, TRANSACTIONS
from fraudstream.core.contract.verdict import parse_verdict
from fraudstream.core.errors import ConfigurationError
from fraudstream.generator import next_id, publish
from fraudstream.generator.cli import app
from fraudstream.generator.malformed import Record
from fraudstream.generator.publish import Result


class Topics:
    """Take the place of the broker: keep what was sent, and know the largest id of each topic."""

    def __init__(self) -> None:
        self.records: dict[str, list[Record]] = {LABELS: [], TRANSACTIONS: []}

    def publish(self, settings: Any, topic: str, records: Iterator[Record], **arguments: Any) -> Result:
        self.records[topic] += records
        return Result(len(self.records[topic]))

    def next_id(self, settings: Any, floor: int, topics: tuple[str, ...] = (TRANSACTIONS, LABELS)) -> int:
        return max([floor, *(int(record.id) + 1 for topic in topics for record in self.records[topic])])


@pytest.fixture
def topics(monkeypatch: pytest.MonkeyPatch) -> Topics:
    kept = Topics()
    monkeypatch.setattr(publish, "publish", kept.publish)
    monkeypatch.setattr(next_id, "next_id", kept.next_id)
    return kept


def run(*words: str) -> Any:
    done = CliRunner().invoke(app, [*words, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return orjson.loads(done.stdout)


def test_history_is_keyed_by_the_card(topics: Topics) -> None:
    run("history", "--count", "50")
    events = [parse_labelled(record.value) for record in topics.records[LABELS]]
    assert [event.id for event in events] == list(range(FIRST_HISTORY_ID, FIRST_HISTORY_ID + 50))
    assert [record.key for record in topics.records[LABELS]] == [str(event.value("card")).encode() for event in events]


def test_labels_follow_the_live_events_after_the_delay(topics: Topics) -> None:
    history = run("history", "--count", "1500")
    # What `live` sends, from where the history ends and with its seed.
    from fraudstream.generator.malformed import mix
    from fraudstream.generator.simulators import cards

    first = FIRST_HISTORY_ID + 1_500
    assert topics.next_id(None, FIRST_LIVE_ID) == first
    topics.records[TRANSACTIONS] += mix(cards.live(4_000, first, history["seed"]), first)
    events = {record.id: parse_event(record.value) for record in topics.records[TRANSACTIONS]}
    newest = max(event.time for event in events.values())

    run("labels", "--delay", "6")
    verdicts = [parse_verdict(record.value) for record in topics.records[LABELS][1_500:]]
    assert all(verdict is not None for verdict in verdicts)
    ids = [verdict.id for verdict in verdicts if verdict is not None]
    assert ids == list(range(first, first + len(ids)))
    assert set(ids) == {id for id, event in events.items() if event.time + timedelta(hours=6) <= newest}
    assert {verdict.observed_at - events[verdict.id].time for verdict in verdicts if verdict is not None} == {
        timedelta(hours=6)
    }

    # Once more, nothing new is known; with a shorter delay the next ones are.
    run("labels", "--delay", "6")
    assert len(topics.records[LABELS]) == 1_500 + len(ids)
    run("labels", "--delay", "0", "--count", "10")
    assert [record.id for record in topics.records[LABELS][1_500 + len(ids) :]] == list(
        range(ids[-1] + 1, ids[-1] + 11)
    )


def test_a_fraud_is_told_and_stored_with_its_campaign() -> None:
    from fraudstream.generator.labelling import known_by, verdicts
    from fraudstream.generator.simulators import cards
    from fraudstream.store.records import Record, document

    ids = FIRST_HISTORY_ID, FIRST_HISTORY_ID + 5_000
    records = list(verdicts(known_by(cards, 7, ids, timedelta(0))))
    labels = [orjson.loads(record.value) for record in records]
    assert {"campaign" in verdict for verdict in labels if verdict["label"]} == {True}
    assert not any("campaign" in verdict for verdict in labels if not verdict["label"])
    now = datetime(2026, 2, 1, tzinfo=UTC)
    stored = [document(Record(LABELS, 0, place, now, b"", record.value), now) for place, record in enumerate(records)]
    assert [verdict.get("campaign") for verdict in stored] == [verdict.get("campaign") for verdict in labels]
    odd = document(Record(LABELS, 0, 0, now, b"", orjson.dumps(labels[0] | {"campaign": 7})), now)
    assert odd["reason"].startswith("campaign: ")


def test_nothing_is_known_of_events_that_are_not_sent() -> None:
    from fraudstream.generator.labelling import known_by
    from fraudstream.generator.simulators import cards

    assert list(known_by(cards, 7, (FIRST_LIVE_ID, FIRST_LIVE_ID - 1), timedelta(0))) == []


def test_an_address_that_cannot_tell_the_next_id_needs_one() -> None:
    words = ["live", "--via", "http", "--url", "http://127.0.0.1:9", "--count", "1"]
    with pytest.raises(ConfigurationError, match="--first-id"):
        CliRunner().invoke(app, words, catch_exceptions=False)


def test_the_history_does_not_depend_on_the_day(topics: Topics) -> None:
    from fraudstream.generator.simulators import cards

    moments = datetime(2026, 1, 1, tzinfo=UTC), datetime(2030, 5, 6, tzinfo=UTC)
    first, other = (list(cards.history(20, FIRST_HISTORY_ID, 7, now)) for now in moments)
    assert first == other
