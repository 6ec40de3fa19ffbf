"""A variable that nobody reads is told with the name that is meant; those of others are left alone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fraudstream.core.settings import Settings
from fraudstream.core.variables import READ_ELSEWHERE, TOLD_VARIABLE, tell_unread, unread


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVER", "FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS"),
        ("FRAUDSTREAM_KAFKA_PRT", "FRAUDSTREAM_KAFKA_PORT"),
        ("FRAUDSTREAM_MONGODB_URI", "FRAUDSTREAM_MONGO_URI"),
        ("FRAUDSTREAM_SCORINGKEY", "FRAUDSTREAM_SCORING_KEY"),
        ("FRAUDSTEAM_SCORING_KEY", "FRAUDSTREAM_SCORING_KEY"),
        ("FRAUD_STREAM_SCORING_KEY", "FRAUDSTREAM_SCORING_KEY"),
        ("FRAUDSTREAM_CACHEDIR", "FRAUDSTREAM_CACHE_DIR"),
    ],
)
def test_a_misspelt_name_is_told_with_the_one_that_is_meant(variable: str, meant: str) -> None:
    (told,) = unread({variable: "x"})
    assert told.text == f"Nothing reads {variable}, which is set in the environment. Is {meant} meant?"
    Path(".env").write_text(f"{variable}=x\n")
    (told,) = unread({})
    assert told.text == f"Nothing reads {variable}, which is set in .env. Is {meant} meant?"


def test_a_name_that_resembles_none_is_told_all_the_same() -> None:
    (told,) = unread({"FRAUDSTREAM_XYZZY": "x"})
    assert told.text == "Nothing reads FRAUDSTREAM_XYZZY, which is set in the environment. docs/settings.md lists all."


def test_what_somebody_reads_is_not_told() -> None:
    names = [f"FRAUDSTREAM_{name.upper()}" for name in Settings.model_fields]
    assert unread(dict.fromkeys([*names, *map(str.lower, names), *READ_ELSEWHERE, TOLD_VARIABLE], "x")) == []
    # Kubernetes' own, for services named fraudstream and fraudstream-scoring.
    links = {
        "FRAUDSTREAM_SERVICE_HOST": "10.0.0.1",
        "FRAUDSTREAM_SERVICE_PORT_HTTP": "80",
        "FRAUDSTREAM_PORT": "tcp://10.0.0.1:80",
        "FRAUDSTREAM_PORT_80_TCP_ADDR": "10.0.0.1",
        "FRAUDSTREAM_DOCUMENTS_PORT": "tcp://10.0.0.1:80",
    }
    assert unread(links) == []
    assert unread({"PATH": "x", "KAFKA_PORT": "1", "SPARK_STREAMING": "x", "JDBC_STREAM_URL": "x"}) == []


@pytest.mark.parametrize("name", ["FRAUDSTREAM_CACHE_DIR", "FRAUDSTREAM_MAVEN_URL", "FRAUDSTREAM_SPARK_JARS"])
def test_what_is_read_from_the_environment_only_is_told_in_dotenv(name: str) -> None:
    Path(".env").write_text(f"{name}=/x\nFRAUDSTREAM_TAG=1.0\n")
    (told,) = unread({})
    assert told.text == f"{name} stands in .env, but is read from the environment only. Export it in the shell instead."


def test_all_that_the_sources_read_is_in_the_table(project_root: Path) -> None:
    """A variable that code reads and the table does not know would be told as misspelt."""
    known = {f"FRAUDSTREAM_{name.upper()}" for name in Settings.model_fields} | {*READ_ELSEWHERE, TOLD_VARIABLE}
    read = set()
    roots = ("services", "generator", "ml", "dashboards", "docker-compose.yml", "Dockerfile", "docker")
    for root in roots:
        path = project_root / root
        files = path.rglob("*") if path.is_dir() else [path]
        for file in files:
            if file.suffix in (".py", ".yml", ".sh", "") and file.is_file():
                text = file.read_text("utf-8", "replace")
                read |= set(re.findall(r"(?<!_)FRAUDSTREAM_[A-Z][A-Z_]*[A-Z]\b(?=[\"'=:}])", text))
                read |= {f"FRAUDSTREAM_{name}" for name in re.findall(r"\{ENV_PREFIX\}([A-Z_]+)\"", text)}
    assert {"FRAUDSTREAM_CACHE_DIR", "FRAUDSTREAM_READY_FILE"} <= read
    assert read <= known


def test_it_is_told_once_and_not_by_the_processes_that_are_started(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FRAUDSTREAM_KAFKA_PRT", "1")
    monkeypatch.setenv(TOLD_VARIABLE, "")
    monkeypatch.delenv(TOLD_VARIABLE)
    tell_unread()
    tell_unread()
    assert capsys.readouterr().err.count("FRAUDSTREAM_KAFKA_PRT") == 1


@pytest.mark.parametrize("words", [("config", "show", "--json"), ("check", "azure", "--json"), ("doctor", "--json")])
def test_every_command_tells_it_on_stderr(words: tuple[str, ...], project_root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fraudstream.runtime", *words],
        env={"PATH": "/usr/bin", "HOME": str(Path.home()), "FRAUDSTREAM_KAFKA_PRT": "1"},
        cwd=project_root,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Is FRAUDSTREAM_KAFKA_PORT meant?" in done.stderr
    answer = json.loads(done.stdout)
    if words[0] == "check":
        assert done.returncode == 1
        assert [(one["rule"], one["where"]) for one in answer["findings"]] == [("PR006", "FRAUDSTREAM_KAFKA_PRT")]
    if words[0] == "doctor":
        assert done.returncode == 1
        (check,) = [one for one in answer["checks"] if one["name"] == "settings"]
        assert not check["ok"]
        assert "FRAUDSTREAM_KAFKA_PORT" in check["detail"]
