"""The command over a file of payments; that a broker takes its records is shown in tests/stack."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import BrokerUnavailable, ConfigurationError
from fraudstream.generator import publish
from fraudstream.generator.__main__ import app
from fraudstream.generator.publish import RecordProducer, Result
from fraudstream.generator.replay.cli import replay
from fraudstream.generator.simulators.payments.transactions import generate
from tests.unit.generator.replay.fakes import Clock, Topics

app.command()(replay)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Twenty labelled payments, one each hour."""
    monkeypatch.setenv("FRAUDSTREAM_DATA_DIR", str(tmp_path / "data"))
    dates = (f"24/11/2026 {hour:02d}:00:00" for hour in range(20))
    lines = b"\n".join(generate(20, 500, 7, labelled=True, dates=dates))
    (tmp_path / "payments.jsonl").write_bytes(lines)
    return tmp_path / "payments.jsonl"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Topics:
    topics = Topics(Clock())

    def accounted(
        _: Settings, names: tuple[str, ...], deliver_all: Callable[[RecordProducer, Clock], Result]
    ) -> Result:
        result = deliver_all(topics, topics.clock)
        result.offsets = {name: {"0": (0, 1)} for name in names}
        return result

    monkeypatch.setattr(publish, "accounted", accounted)
    return topics


def invoke(*words: object, exit_code: int = 0) -> Any:
    done = CliRunner().invoke(app, ["replay", *map(str, words), "--json"], catch_exceptions=False)
    assert done.exit_code == exit_code, done.output
    return orjson.loads(done.stdout)


def test_the_live_part_is_sent_and_goes_on_where_it_stopped(file: Path, sent: Topics) -> None:
    assert invoke("--from", file, "--dry-run") == {
        "rows": 20,
        "history_rows": 10,
        "left": 10,
        "position": {"event": 10, "label": 10, "held": 0},
    }
    first = invoke("--from", file, "--speed", "0", "--count", "4", "--label-delay", "2")
    assert (first["produced"], first["labels"], first["labels_held_back"], first["left"]) == (4, 2, 2, 6)
    assert (first["first_id"], first["last_id"], set(first["offsets"])) == (510, 513, {"transactions", "labels"})
    rest = invoke("--from", file, "--speed", "0", "--label-delay", "2")
    assert (rest["produced"], rest["labels"], rest["labels_held_back"], rest["left"]) == (6, 8, 0, 0)
    events = [id for topic, id, _ in sent.sent if topic == "transactions"]
    assert events == list(range(510, 520))
    assert all(b"isFraud" not in value for value in sent.values)
    assert (invoke("--from", file)["produced"], len(sent.sent)) == (0, 20)
    assert invoke("--from", file, "--restart", "--rate", "5", "--count", "1")["first_id"] == 510
    assert (
        invoke("--from", file, "--from-time", "2026-11-24T03:30:00Z", "--count", "1", "--speed", "0")["first_id"] == 504
    )


def test_what_was_acknowledged_is_not_sent_again_after_a_failure(
    file: Path, sent: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Topics.send

    def failing(topics: Topics, topic: str, value: bytes, key: bytes | None) -> Any:
        if len(topics.sent) == 5:
            from kafka.errors import KafkaTimeoutError

            raise KafkaTimeoutError("no answer")
        return send(topics, topic, value, key)

    monkeypatch.setattr(Topics, "send", failing)
    with pytest.raises(BrokerUnavailable, match=r"replay again, which goes on behind the last"):
        invoke("--from", file, "--speed", "0", "--label-delay", "99")
    monkeypatch.setattr(Topics, "send", send)
    assert invoke("--from", file, "--speed", "0")["first_id"] == 515


def test_a_run_with_a_count_that_is_interrupted_has_not_done_what_was_asked(file: Path, sent: Topics) -> None:
    sent.clock.stop_at = 60.0
    report = invoke("--from", file, "--speed", "1", "--count", "3", exit_code=130)
    assert (report["produced"], report["interrupted"]) == (1, True)


def test_a_project_without_a_file_says_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match=r"give --from FILE, or make events with `fraudstream generate live`"):
        invoke()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--from-time", "yesterday"), "no time of ISO 8601"),
        (("--label-delay", "1e300"), "longer than all time"),
        (("--malformed", "11"), "11 malformed records cannot be spread over 10"),
    ],
)
def test_what_cannot_be_meant_is_refused(file: Path, sent: Topics, words: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        invoke("--from", file, *words)
    assert sent.sent == []


def test_the_report_in_words(file: Path, sent: Topics) -> None:
    words = ["replay", "--from", str(file), "--speed", "0", "--count", "2", "--label-delay", "1"]
    lines = CliRunner().invoke(app, words, catch_exceptions=False).stdout.splitlines()
    assert lines[0].startswith("2 events in transactions, ids 510–511; ")
    assert lines[1] == "1 labels, 1 are held back until they are known; 8 rows are left"


def test_a_held_replay_begins_at_a_line_and_ends_without_one(file: Path, sent: Topics) -> None:
    words = ["replay", "--from", str(file), "--speed", "0", "--hold"]
    assert CliRunner().invoke(app, words, input="").exit_code == 130
    assert sent.sent == []
    assert CliRunner().invoke(app, words, input="begin\n").exit_code == 0
    assert len(sent.sent) == 20
