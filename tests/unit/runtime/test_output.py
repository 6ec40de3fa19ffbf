"""What others wrote is text in every command's output: statuses, logs, errors, tables, JSON."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bson
import pytest
from bson import Binary, DatetimeMS
from bson.raw_bson import RawBSONDocument
from typer.testing import CliRunner

from fraudstream.cloud.check import linter, subject
from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.documents import client as documents
from fraudstream.core.errors import RuntimePartError
from fraudstream.core.output.terminal import terminal
from fraudstream.ml import registry
from fraudstream.runtime import cli, commands, lifecycle, status
from fraudstream.runtime.demo import output as demo_output
from fraudstream.runtime.doctor import command as doctor
from fraudstream.runtime.supervise.state import PartState, log_file
from fraudstream.store import cli as rejected_cli
from fraudstream.store import rejected

HOSTILE = "[/b] [red]x :warning: \x1b[2J\x9b1m\u202e\rforged"
SHOWN = "[/b] [red]x :warning: \\x1b[2J\\x9b1m\\u202e\\rforged"
runner = CliRunner(env={"COLUMNS": "600"})


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """No table is folded."""
    monkeypatch.setenv("COLUMNS", "600")


def rejection(reason: str) -> dict[str, Any]:
    at = datetime(2026, 5, 4, tzinfo=UTC)
    source = {"topic": "transactions", "partition": 1, "offset": 7}
    raw = f'{{"day_of_week": "{HOSTILE}"}}'.encode()
    return {"_id": "transactions/1/7", "reason": reason, "field": HOSTILE, "rejected_at": at, "raw_bytes": len(raw)} | {
        "raw": raw,
        "source": source,
    }


def test_rejected_events_are_listed_with_their_reasons_as_they_were_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rejected, "find", lambda *_: [rejection(f"day_of_week: {HOSTILE}"), rejection("x" * 900_000)])
    done = runner.invoke(rejected_cli.app, ["list"])
    assert done.exit_code == 0, done.output
    assert f"day_of_week: {SHOWN}" in done.output
    assert len(done.output) < 10_000
    exact = runner.invoke(rejected_cli.app, ["list", "--json"])
    assert exact.stdout.isascii()
    assert json.loads(exact.stdout)["rejected"][0]["reason"] == f"day_of_week: {HOSTILE}"


ODD: list[dict[str, Any]] = [
    {},
    {"reason": None, "rejected_at": "yesterday", "raw_bytes": None, "raw": None, "source": None, "field": 5},
    {"reason": {"a": [1]}, "rejected_at": DatetimeMS(2**62), "raw_bytes": math.nan, "raw": "text", "source": [HOSTILE]},
    {"reason": 5, "rejected_at": datetime(2026, 5, 4), "raw_bytes": "7", "raw": Binary(b"\xff", 5), "field": None},
]


@pytest.mark.parametrize("fields", ODD)
def test_an_odd_document_is_listed_as_far_as_it_goes(monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any]) -> None:
    listed = [{"_id": "transactions/0/5", **fields}, rejection("amount: missing")]
    monkeypatch.setattr(rejected, "find", lambda *_: listed)
    done = runner.invoke(rejected_cli.app, ["list"])
    assert done.exit_code == 0, done.output
    assert "transactions/0/5" in done.output
    assert "amount: missing" in done.output
    exact = runner.invoke(rejected_cli.app, ["list", "--json"])
    assert exact.exit_code == 0, exact.output
    first, second = json.loads(exact.stdout)["rejected"]
    assert (first["id"], first["raw_bytes"]) == ("transactions/0/5", None)
    assert second["source"] == {"topic": "transactions", "partition": 1, "offset": 7}
    assert second["rejected_at"] == "2026-05-04T00:00:00+00:00"


def test_each_rejected_event_is_decoded_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver decodes what came in one answer at once, and one document would fail them all."""
    deep = b"\x05\x00\x00\x00\x00"
    for _ in range(2_000):
        deep = (len(deep) + 8).to_bytes(4, "little") + b"\x03a\x00" + deep + b"\x00"
    body = bson.encode({"_id": "transactions/0/5", "reason": "x: y"})[4:-1] + b"\x03deep\x00" + deep
    odd = RawBSONDocument((len(body) + 5).to_bytes(4, "little") + body + b"\x00")

    class Found(list[RawBSONDocument]):
        def sort(self, *_: Any) -> Found:  # type: ignore[override]
            return self

        def limit(self, _: int) -> Found:
            return self

    class Rejected:
        def find(self, _query: Any) -> Found:
            return Found([odd, RawBSONDocument(bson.encode(rejection("amount: missing")))])

    def database(_settings: Any, document_class: Any) -> dict[str, Rejected]:
        assert document_class is RawBSONDocument
        return {documents.REJECTED: Rejected()}

    monkeypatch.setattr(documents, "database", database)
    first, second = rejected.find(load_settings())
    assert (first["_id"], first["reason"], second["reason"]) == ("transactions/0/5", "x: y", "amount: missing")
    refused = runner.invoke(rejected_cli.app, ["replay", "transactions/0/5"])
    assert str(refused.exception) == "Nothing was sent. transactions/0/5: its bytes are not kept; send it anew"


def test_the_addresses_that_are_told_hold_no_password(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("MLFLOW_TRACKING_URI", "SCORING_URL", "DASHBOARD_URL"):
        monkeypatch.setenv(f"FRAUDSTREAM_{name}", f"https://ml:pw@{name.lower().replace('_', '-')}.example")
    settings = load_settings()
    # Too short to be known everywhere, but not in its place.
    monkeypatch.setattr(demo_output, "console", terminal(stderr=True))
    demo_output.announce(settings)
    monkeypatch.setattr(lifecycle, "running_supervisor", lambda _: None)
    monkeypatch.setattr(lifecycle, "start_detached", lambda _: None)
    monkeypatch.setattr(lifecycle, "await_ready", lambda *_: None)
    monkeypatch.setattr(cli, "err", terminal(stderr=True))
    assert runner.invoke(cli.app, ["up", "-d"]).exit_code == 0
    printed = capsys.readouterr().err
    assert "pw@" not in printed
    assert "https://ml:********@scoring-url.example/docs" in printed


def test_a_field_that_is_no_text_names_no_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rejected, "find", lambda *_: pytest.fail("the store is not asked for such a field"))
    done = runner.invoke(rejected_cli.app, ["list", "--field", "a\udcff\x1b"])
    assert done.exit_code == 0
    assert done.output == "nothing was rejected for the field a\\udcff\\x1b\n"


def test_status_shows_a_part_s_last_words_as_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    part = status.PartStatus("stream", "restarting", None, (), None, 3, HOSTILE, None)
    state = status.Status("local", True, 1, (part,), status.StreamStatus())
    monkeypatch.setattr(status, "collect", lambda _: state)
    monkeypatch.setattr(cli, "out", terminal(width=600))
    done = runner.invoke(cli.app, ["status"])
    assert SHOWN in done.output
    assert "\x1b[2J" not in done.output
    cli.show_change(PartState("stream", "failed", last_exit=HOSTILE))
    assert f"stream      failed: {SHOWN}\n" in capsys.readouterr().err


def test_logs_are_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FRAUDSTREAM_DATA_DIR", str(tmp_path))
    file = log_file(load_settings().data_dir, "stream")
    file.parent.mkdir(parents=True)
    file.write_bytes(b"first\x1b]0;title\x07\r\n\tat java\x9b2J \xff\xc2\x9b\rforged\nlast\n")
    done = runner.invoke(cli.app, ["logs", "stream"])
    assert done.output == "first\\x1b]0;title\\x07\n\tat java\ufffd2J \ufffd\\x9b\\rforged\nlast\n"


def test_a_doctor_s_finding_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = [doctor.Check("disk", True, HOSTILE, ""), doctor.Check("Java", False, HOSTILE, HOSTILE)]
    monkeypatch.setattr(doctor, "run_checks", lambda _: checks)
    done = runner.invoke(cli.app, ["doctor"])
    assert done.output == f"✓ disk: {SHOWN}\n✗ Java: {SHOWN}\n  {SHOWN}\n"


def test_versions_are_listed_as_they_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from fraudstream.ml import cli as ml_cli

    version = registry.Version("3", HOSTILE, HOSTILE, "", 0, {"roc_auc": 0.5})
    monkeypatch.setattr(registry, "versions", lambda _: [version])
    for words in (["list"], ["compare"]):
        done = runner.invoke(ml_cli.models, words)
        assert done.exit_code == 0, done.output
        assert done.output.count(SHOWN) == 2
    refused = runner.invoke(ml_cli.models, ["compare", HOSTILE])
    assert HOSTILE in str(refused.exception)


def test_a_finding_of_the_linter_is_text(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from fraudstream.cloud.check import cli as check_cli
    from fraudstream.cloud.rules.rule import Finding
    from fraudstream.cloud.rules.table import rules

    rule = next(iter(rules().values()))
    monkeypatch.setattr(subject, "gather", lambda *_: type("Subject", (), {"addressed": 0})())
    monkeypatch.setattr(linter, "lint", lambda _: [Finding(rule, HOSTILE, HOSTILE)])
    done = runner.invoke(check_cli.app, ["azure", "--project", str(tmp_path)])
    assert done.exit_code == 1
    assert f"{rule.id} {SHOWN}: {SHOWN}\n" in done.output


@pytest.mark.parametrize(
    "words", [["logs", HOSTILE], ["status", f"--{HOSTILE}"], [HOSTILE], ["logs", "x", "-n", HOSTILE]]
)
def test_what_was_typed_is_told_as_text(words: list[str], tmp_path: Path) -> None:
    environment = os.environ | {"FRAUDSTREAM_DATA_DIR": str(tmp_path), "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "fraudstream.runtime", *words]
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    assert done.returncode in (1, 2)
    assert b"Traceback" not in done.stderr
    assert not set(done.stderr) & {0x1B, 0x0D, 0x9B}


def test_an_error_is_one_line_of_text(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise RuntimePartError(f"{HOSTILE}\u2028second line{'x' * 100_000}")

    monkeypatch.setattr(cli, "app", fail)
    monkeypatch.setattr(cli, "add_sibling_commands", lambda _: None)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("fraudstream: [/b] [red]x :warning: \\x1b[2J\\x9b1m\\u202e forged second line")
    assert len(line) < 5_000


def test_every_command_of_the_parts_is_told_as_text_too() -> None:
    app = commands.typer.Typer(cls=commands.LateGroup, pretty_exceptions_enable=False)

    @app.command()
    def hostile() -> None:
        raise commands.typer.BadParameter(HOSTILE)

    @app.command()
    def two() -> None:
        """Make it a group."""

    done = runner.invoke(app, ["hostile"])
    assert done.exit_code == 2
    assert "\x1b[2J" not in done.output
    assert "\\x1b[2J" in done.output
