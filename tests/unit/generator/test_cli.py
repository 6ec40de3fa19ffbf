from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import parse_event
from fraudstream.core.errors import BrokerUnavailable, ConfigurationError
from fraudstream.generator import next_id, publish
from fraudstream.generator.cli import app
from fraudstream.generator.malformed import Record
from fraudstream.generator.publish import Result


class Topic:
    """Takes the place of the broker: keeps what was sent."""

    def __init__(self) -> None:
        self.name = ""
        self.records: list[Record] = []
        self.arguments: dict[str, Any] = {}
        self.stopped = False

    def publish(self, settings: Settings, topic: str, records: Iterator[Record], **arguments: Any) -> Result:
        self.name, self.records, self.arguments = topic, list(records), arguments
        kinds = Counter(record.kind for record in self.records if record.kind is not None)
        ids = [record.id for record in self.records]
        return Result(
            len(ids),
            sum(kinds.values()),
            0,
            ids[0],
            ids[-1],
            2.0,
            self.stopped,
            kinds,
            {topic: {"0": (5, 5 + len(ids))}},
        )


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> Topic:
    kept = Topic()
    monkeypatch.setattr(publish, "publish", kept.publish)
    monkeypatch.setattr(next_id, "next_id", lambda _, floor: floor)
    return kept


def invoke(*arguments: str, exit_code: int = 0) -> Any:
    result = CliRunner().invoke(app, [*arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == exit_code, result.output
    return orjson.loads(result.stdout)


def test_history_is_labelled_and_reported(topic: Topic) -> None:
    report = invoke("history", "--count", "30")
    assert topic.name == "labels"
    events = [parse_event(record.value) for record in topic.records]
    assert len(events) == 30
    assert all(event.label is not None for event in events)
    assert [event.time for event in events] == sorted(event.time for event in events)
    assert report == {
        "produced": 30,
        "malformed": 0,
        "refused": 0,
        "first_id": 1_000_000,
        "last_id": 1_000_029,
        "seed": 7,
        "seconds": 2.0,
        "events_per_second": 15.0,
        "malformed_kinds": {},
        "offsets": {"labels": {"0": [5, 35]}},
        "interrupted": False,
    }


def test_live_is_unlabelled_and_has_malformed_records_within_its_count(topic: Topic) -> None:
    report = invoke("live", "--count", "200", "--malformed", "20", "--rate", "50", "--seed", "3")
    assert (report["produced"], report["malformed"], report["seed"]) == (200, 20, 3)
    assert sum(report["malformed_kinds"].values()) == 20
    assert topic.name == "transactions"
    assert all(parse_event(record.value).label is None for record in topic.records if record.kind is None)
    assert (topic.arguments["rate"], topic.arguments["seconds"], topic.arguments["count"]) == (50.0, None, 200)


def test_live_with_a_rate_and_a_time_has_a_count(topic: Topic) -> None:
    report = invoke("live", "--rate", "10", "--for", "4", "--malformed", "40", "--first-id", "5")
    assert (report["produced"], report["malformed"], report["first_id"]) == (40, 40, 5)
    assert isinstance(report["seed"], int)


@pytest.mark.parametrize("limits", [(), ("--rate", "0", "--for", "5")])
def test_malformed_records_need_a_known_count(topic: Topic, limits: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError, match="endless run"):
        invoke("live", "--malformed", "3", *limits)


@pytest.mark.parametrize(
    "words",
    [("--for", "inf"), ("--for", "nan"), ("--rate", "inf"), ("--rate", "nan"), ("--rate", "-inf"), ("--for", "1e999")],
)
@pytest.mark.parametrize("other", [(), ("--count", "3")])
def test_times_and_rates_are_finite(topic: Topic, words: tuple[str, str], other: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, ["live", *words, *other])
    assert result.exit_code == 2
    assert words[0] in result.output
    assert topic.name == ""


@pytest.mark.parametrize(("rate", "seconds"), [("1e200", "1e200"), ("1", "1e30")])
def test_more_events_than_there_are_ids_are_refused_by_both_options(topic: Topic, rate: str, seconds: str) -> None:
    with pytest.raises(ConfigurationError, match=r"--rate .* and --for .* more events than there are ids"):
        invoke("live", "--rate", rate, "--for", seconds)


def test_ids_stay_within_the_contract(topic: Topic) -> None:
    with pytest.raises(ConfigurationError, match="leaves no room for 2 events"):
        invoke("history", "--count", "2", "--first-id", str(2**63 - 1))


def test_an_interrupted_run_with_a_limit_did_not_do_what_was_asked(topic: Topic) -> None:
    topic.stopped = True
    assert invoke("live", "--count", "3", exit_code=130)["interrupted"] is True


def test_a_silent_broker_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(settings: Settings, floor: int) -> int:
        raise BrokerUnavailable("Kafka does not answer")

    monkeypatch.setattr(next_id, "next_id", silent)
    with pytest.raises(BrokerUnavailable):
        invoke("history", "--count", "1")


def test_the_report_in_words(topic: Topic) -> None:
    result = CliRunner().invoke(app, ["history", "--count", "1500"])
    assert result.stdout == "1,500 events in labels, ids 1000000–1001499, seed 7; 2.0 s, 750 events/s\n"


def test_importing_the_commands_is_light_and_needs_no_project() -> None:
    code = (
        "import sys, fraudstream.generator.cli, fraudstream.generator.replay.cli, fraudstream.runtime.demo.command; "
        "print(sorted({'numpy', 'kafka', 'fraudstream.core.contract.event'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_project_with_a_file_is_replayed() -> None:
    """The project is chosen once for a process."""
    code = """
import dataclasses, fraudstream.core.contract.event as contract
source = contract.PROJECT.definition.source.model_copy(update={"file": "a.csv", "generator": None})
definition = contract.PROJECT.definition.model_copy(update={"source": source})
contract.PROJECT = dataclasses.replace(contract.PROJECT, definition=definition)
from fraudstream.generator.__main__ import main
main()
"""
    expected = {("live",): "`fraudstream replay` sends them", ("history", "--first-id", "1"): "Leave out --first-id"}
    for words, message in expected.items():
        done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert message in done.stderr


def test_the_package_runs_as_a_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fraudstream.generator", "live", "--malformed", "1", "--first-id", "1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: 1 malformed records cannot be spread over an endless run")
