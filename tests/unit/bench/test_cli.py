"""The command: its options, and what they become."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from fraudstream.bench import cli, latency
from fraudstream.bench.harness import environments, load
from fraudstream.bench.harness.stage import Stage, environment_of, isolated


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[latency.Plan]:
    plans: list[latency.Plan] = []

    def measure(plan: latency.Plan, report: Callable[[str], None]) -> dict[str, Any]:
        plans.append(plan)
        return {"summary": [], "bounds": [], "runs": []}

    monkeypatch.setattr(latency, "measure", measure)
    return plans


def test_results_are_one_object_and_a_file(measured: list[latency.Plan], tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    words = ["latency", "--rate", "500", "--for", "1800", "--contender", "realtime", "--set", "driver_memory=1g"]
    done = CliRunner().invoke(cli.app, [*words, "--json", "--out", str(file)])
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert json.loads(file.read_text("utf-8")) == result
    assert result["benchmark"] == "latency"
    assert {"cores", "processor", "memory_gib", "load_average_before"} <= result["machine"].keys()
    assert {"pyspark", "kafka", "java", "quixstreams", "bytewax", "faust-streaming"} <= result["versions"].keys()
    assert measured == [latency.Plan((500.0,), 1800.0, contenders=("realtime",), ours={"driver_memory": "1g"})]


def test_a_smoke_run_writes_no_file_unasked(measured: list[latency.Plan]) -> None:
    done = CliRunner().invoke(cli.app, ["latency", "--smoke", "--json"])
    assert done.exit_code == 0, done.output
    assert measured[0].contenders == ("echo", "bare", "realtime")
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.parametrize(
    "words", [["--contender", "nobody"], ["--set", "driver_memory"], ["--set", "nothing=1"], ["--rate", "0"]]
)
def test_what_is_not_known_is_refused(measured: list[latency.Plan], words: list[str]) -> None:
    assert CliRunner().invoke(cli.app, ["latency", *words]).exit_code == 2
    assert measured == []


def test_a_stage_has_settings_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDSTREAM_KAFKA_PORT", "1")
    monkeypatch.setenv("FRAUDSTREAM_SCORING_KEY", "theirs")
    with Stage() as stage:
        assert stage.settings.kafka_port != 1
        assert stage.settings.kafka_bootstrap_servers.endswith(f":{stage.settings.kafka_port}")
        environment = stage.environment(driver_memory="2g")
        assert environment["FRAUDSTREAM_DRIVER_MEMORY"] == "2g"
        assert environment["FRAUDSTREAM_SCORING_KEY"] == ""
    assert not stage.folder.exists()


def test_a_child_reads_the_settings_that_it_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from fraudstream.core.configuration.settings import load_settings

    settings = isolated(data_dir=tmp_path, scoring="embedded", trigger="microbatch", kafka_port=12_345)
    for name, value in environment_of(settings).items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings


def test_requirements_pin_everything() -> None:
    for name in environments.WORKERS:
        lines = environments.requirements(name).read_text("utf-8").splitlines()
        assert lines
        assert all("==" in line for line in lines)
    assert environments.pinned("quix")["quixstreams"] == "3.28.1"
    assert environments.pinned("bytewax")["bytewax"] == "0.21.1"
    assert environments.pinned("faust")["faust-streaming"] == "0.15.3"
    versions = {environments.pinned(name)["xgboost-cpu"] for name in environments.WORKERS}
    assert len(versions) == 1


def test_one_event_in_a_hundred_breaks_the_contract(tmp_path: Path) -> None:
    lines = load.write_events(tmp_path / "events").read_bytes().splitlines()
    assert len(lines) == load.EVENTS
    texts = [number for number, line in enumerate(lines, 1) if isinstance(json.loads(line)["amount"], str)]
    assert texts == list(range(load.MALFORMED_EVERY, load.EVENTS + 1, load.MALFORMED_EVERY))


def test_decisions_are_compared_where_both_have_them() -> None:
    comparison = load.compared({"1": (0, 0.1), "2": (1, 0.9)}, {"2": (0, 0.4), "3": (1, 0.9)})
    assert comparison == {"compared": 1, "different_decisions": 1, "largest_score_difference": 0.5}


def test_a_part_of_the_dashboards_that_does_not_exist_is_refused() -> None:
    done = CliRunner().invoke(cli.app, ["dashboards", "--only", "colours"])
    assert done.exit_code == 2
    assert "callbacks" in done.output


def test_a_stage_leaves_a_kept_folder_and_removes_its_own_after_an_error(tmp_path: Path) -> None:
    with Stage(tmp_path / "kept") as stage:
        assert stage.settings.data_dir == tmp_path / "kept"
    assert stage.folder.exists()
    with pytest.raises(KeyboardInterrupt), Stage() as stage:
        raise KeyboardInterrupt
    assert not stage.folder.exists()
