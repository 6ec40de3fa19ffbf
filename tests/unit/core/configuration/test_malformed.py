"""One rule for every value: what cannot be meant is refused by its variable's name, wherever a process starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fraudstream.core.configuration.malformed import _IDENTITY, _IDENTITY_SECRETS, malformed
from fraudstream.core.configuration.settings import Settings, load_settings
from fraudstream.core.errors import ConfigurationError
from tests.azure import AZURE, CONNECTION_STRING, SAS_KEY

pytestmark = pytest.mark.timeless


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("x\n", "ends with a line break"),
        ("x\r", "ends with a carriage return"),
        ("x\r\n", "ends with a line break"),
        ("\tx", "begins with a tab"),
        (" x", "begins with a space"),
        ("x ", "ends with a space"),
        ("x\0y", "holds a zero byte"),
        ("\ufeffx", "begins with a byte order mark"),
        ("x\u200by", "holds the character U+200B, which nobody sees"),
        ("x\u00a0y", "holds the character U+00A0, which nobody sees"),
        ("x\u00a0", "ends with the character U+00A0"),
        ("x\u2028y", "holds the character U+2028, which nobody sees"),
        ("x\ny", "holds a line break"),
        ("x\x1by", "holds the character U+001B"),
        ("x\udcff", "holds bytes that are not UTF-8"),
        ("x\ufffd", "holds a character that was lost when it was copied (U+FFFD)"),
        ("'x'", "stands in quotes, which belong to the shell or to .env and not to the value"),
        ('"x"', "stands in quotes, which belong to the shell or to .env and not to the value"),
        ("   ", "holds white space alone"),
    ],
)
def test_the_rule_is_the_same_for_every_setting(value: str, problem: str) -> None:
    for name in Settings.model_fields:
        # A file's name may hold any character that prints nothing.
        paths = ("data_dir", "kafka_ssl_cafile", "project", "tls_certificate", "tls_key", "ingest_jwks")
        allowed = name in paths and ("nobody sees" in problem or "lost" in problem)
        expected = [] if allowed else [f"FRAUDSTREAM_{name.upper()} {problem}"]
        assert [str(problem) for problem in malformed({name: value})] == expected


@pytest.mark.parametrize("value", ["x", "a b", "p#q$r", 'a"b\\c', "é", "пароль", "'x", "x=", "😀"])
def test_what_can_be_meant_is_taken(value: str) -> None:
    assert (
        malformed(dict.fromkeys(("kafka_sasl_password", "dashboard_password", "model_name", "data_dir"), value)) == []
    )


def test_a_header_carries_ascii_alone() -> None:
    (problem,) = malformed({"scoring_key": "clé"})
    assert str(problem) == "FRAUDSTREAM_SCORING_KEY holds the character U+00E9, which an HTTP header cannot carry"


@pytest.mark.parametrize("source", ["environment", ".env", "argument"])
@pytest.mark.parametrize("name", ["kafka_port", "kafka_bootstrap_servers", "profile", "scoring_key", "data_dir"])
def test_it_is_refused_from_every_source(monkeypatch: pytest.MonkeyPatch, source: str, name: str) -> None:
    arguments = {}
    if source == "environment":
        monkeypatch.setenv(f"FRAUDSTREAM_{name.upper()}", " 9092")
    elif source == ".env":
        Path(".env").write_text(f'FRAUDSTREAM_{name.upper()}=" 9092"\r\n')
    else:
        arguments = {name: " 9092"}
    with pytest.raises(ConfigurationError, match=rf"^FRAUDSTREAM_{name.upper()} begins with a space\. Correct it"):
        load_settings(**arguments)


def test_all_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDSTREAM_SCORING_KEY", "s3cret\n")
    monkeypatch.setenv("FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS", "http://x:1")
    with pytest.raises(ConfigurationError, match=r"SCORING_KEY ends .*; FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS holds"):
        load_settings()


def test_lines_of_windows_end_no_value() -> None:
    lines = ("FRAUDSTREAM_SCORING_KEY=s3cret", "FRAUDSTREAM_KAFKA_PORT=19092", "")
    Path(".env").write_bytes("\r\n".join(lines).encode())
    assert load_settings().scoring_key.get_secret_value() == "s3cret"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("kafka_sasl_username", CONNECTION_STRING),
        ("kafka_sasl_username", CONNECTION_STRING.partition(";")[2].lower()),
        ("kafka_sasl_username", SAS_KEY),
        ("kafka_sasl_password", "$ConnectionString"),
        ("kafka_bootstrap_servers", CONNECTION_STRING),
    ],
)
def test_a_key_in_another_settings_place_is_refused_and_not_shown(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(**(AZURE | {name: value}))
    assert str(caught.value).startswith(f"FRAUDSTREAM_{name.upper()} ")
    assert SAS_KEY[:8] not in str(caught.value)
    assert SAS_KEY[-9:-1].lower() not in str(caught.value).lower()


OAUTH = AZURE | {"kafka_sasl_mechanism": "OAUTHBEARER", "kafka_sasl_password": ""}


@pytest.mark.parametrize("name", ["AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "IDENTITY_HEADER"])
@pytest.mark.parametrize("value", ["s3cret-of-an-app\n", "'s3cret-of-an-app'", "s3cret-of-an-app\u200b"])
def test_what_an_identity_signs_in_with_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=rf"^{name} (ends|stands|holds)") as caught:
        load_settings(**OAUTH)
    assert "s3cret" not in str(caught.value)
    # Another way of signing in does not read them.
    assert load_settings(**AZURE).kafka_sasl_mechanism == "PLAIN"


def test_an_application_s_id_is_looked_at_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_ID", " app")
    with pytest.raises(ConfigurationError, match=r"^AZURE_CLIENT_ID begins with a space"):
        load_settings(**OAUTH)


ENTRIES = [
    *([sys.executable, "-m", f"fraudstream.{part}"] for part in ("stream", "store", "scoring", "dashboards")),
    *(
        [sys.executable, "-m", "fraudstream.runtime", *words.split()]
        for words in ("status", "config show --json", "doctor", "up", "generate live --count 1", "train", "models list")
    ),
]


@pytest.mark.parametrize("entry", ENTRIES, ids=[" ".join(words[2:]) for words in ENTRIES])
def test_every_entry_refuses_it_with_one_line(entry: list[str]) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FRAUDSTREAM_")}
    variables = {f"FRAUDSTREAM_{name.upper()}": value for name, value in AZURE.items()}
    key = f"{AZURE['scoring_key']}\n"
    done = subprocess.run(
        entry,
        env=kept | variables | {"FRAUDSTREAM_SCORING_KEY": key},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert "FRAUDSTREAM_SCORING_KEY ends with a line break" in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert AZURE["scoring_key"][:8] not in done.stderr + done.stdout


@pytest.mark.parametrize("end", ["\n", "\r\n", " "])
def test_the_linter_reports_each(end: str, project_root: Path) -> None:
    names = ("kafka_sasl_password", "mongo_uri", "scoring_key", "mlflow_tracking_uri", "scoring_url")
    malformed_ones = {name: AZURE[name] + end for name in (*names, "kafka_bootstrap_servers")}
    variables = {f"FRAUDSTREAM_{name.upper()}": value for name, value in (AZURE | malformed_ones).items()}
    done = subprocess.run(
        [sys.executable, "-m", "fraudstream.runtime", "check", "azure", "--json", "--project", str(project_root)],
        env={"PATH": "/usr/bin", "HOME": str(Path.home()), **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    places = {finding["where"] for finding in json.loads(done.stdout)["findings"] if finding["rule"] == "PR005"}
    assert places == {f"FRAUDSTREAM_{name.upper()}" for name in malformed_ones}


def test_each_variable_of_an_identity_stands_in_the_manual(project_root: Path) -> None:
    manual = (project_root / "docs" / "how-to" / "operations.md").read_text("utf-8")
    secrets = manual.partition("### Secrets")[2].partition("\n### ")[0]
    for name in (*_IDENTITY, *_IDENTITY_SECRETS):
        assert f"`{name}`" in secrets
