"""A variable that nobody reads is told with the name that is meant; those of others are left alone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.configuration.variables import READ_ELSEWHERE, TOLD_VARIABLE, tell_unread, unread


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
    (notice,) = unread({variable: "x"})
    assert notice.text == f"Nothing reads {variable}, which is set in the environment. Is {meant} meant?"
    Path(".env").write_text(f"{variable}=x\n")
    (notice,) = unread({})
    assert notice.text == f"Nothing reads {variable}, which is set in .env. Is {meant} meant?"


def run(*words: str, folder: Path, **given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fraudstream.runtime", *words],
        env={"PATH": "/usr/bin", "HOME": str(Path.home()), **given},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_command_reads_lower_case_names_and_tells_misspelt_ones(tmp_path: Path) -> None:
    given = {"FRAUDSTREM_KAFKA_PORT": "1", "fraudstrem_mongo_port": "1", "fraudstream_kafka_port": "19092"}
    given |= {"fraudstream_scoring_prt": "1", "FRAUDSTREAM_MLFLOW_PORT": "5001", "fraudstream_mlflow_port": "5002"}
    given |= {"FRAUD_DATABASE": "x", "KAFKA_STREAMS_STATE": "x"}
    done = run("config", "show", "--json", folder=tmp_path, **given)
    values = json.loads(done.stdout)
    assert (values["kafka_port"], values["mlflow_port"], values["scoring_port"]) == (19092, 5001, 8000)
    assert sorted(done.stderr.splitlines()) == [
        "fraudstream: Nothing reads FRAUDSTREAM_SCORING_PRT, which is set in the environment. "
        "Is FRAUDSTREAM_SCORING_PORT meant?",
        "fraudstream: Nothing reads FRAUDSTREM_KAFKA_PORT, which is set in the environment. "
        "Is FRAUDSTREAM_KAFKA_PORT meant?",
        "fraudstream: Nothing reads fraudstrem_mongo_port, which is set in the environment. "
        "Is FRAUDSTREAM_MONGO_PORT meant?",
        "fraudstream: fraudstream_mlflow_port has no effect: FRAUDSTREAM_MLFLOW_PORT is set as well, to something "
        "else. Unset one of them.",
    ]


def test_nothing_is_told_while_a_shell_completes_a_command(tmp_path: Path) -> None:
    words = {"_FRAUDSTREAM_COMPLETE": "complete_bash", "COMP_WORDS": "fraudstream st", "COMP_CWORD": "1"}
    code = "import sys; sys.argv[0] = 'fraudstream'; from fraudstream.runtime.__main__ import start; start()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": "/usr/bin", "HOME": str(Path.home()), "FRAUDSTREAM_KAFKA_PRT": "1", **words},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, "status", "")


def test_a_name_that_resembles_none_is_told_all_the_same() -> None:
    (notice,) = unread({"FRAUDSTREAM_XYZZY": "x"})
    assert (
        notice.text
        == "Nothing reads FRAUDSTREAM_XYZZY, which is set in the environment. docs/reference/settings.md lists all."
    )


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
    (notice,) = unread({})
    assert (
        notice.text == f"{name} stands in .env, but is read from the environment only. Export it in the shell instead."
    )


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


@pytest.mark.parametrize("variable", ["FRAUDSTREAM_KAFKA_PRT", "FRAUDSTREM_KAFKA_PORT"])
@pytest.mark.parametrize("words", [("config", "show", "--json"), ("check", "azure", "--json"), ("doctor", "--json")])
def test_every_command_tells_it_on_stderr(words: tuple[str, ...], variable: str, project_root: Path) -> None:
    done = run(*words, folder=project_root, **{variable: "1"})
    assert "Is FRAUDSTREAM_KAFKA_PORT meant?" in done.stderr
    answer = json.loads(done.stdout)
    if words[0] == "check":
        assert done.returncode == 1
        assert [(finding["rule"], finding["where"]) for finding in answer["findings"]] == [("PR006", variable)]
    if words[0] == "doctor":
        assert done.returncode == 1
        (check,) = [check for check in answer["checks"] if check["name"] == "settings"]
        assert not check["ok"]
        assert "FRAUDSTREAM_KAFKA_PORT" in check["detail"]
