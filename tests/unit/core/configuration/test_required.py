"""The azure profile refuses to start with default or empty secrets, and a process says all that it lacks at once."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from fraudstream.core.configuration.required import ALL_NEEDS, Need, is_placeholder, missing, require, start_settings
from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.errors import ConfigurationError
from tests.azure import AZURE

pytestmark = pytest.mark.timeless

# The key that Cosmos DB's emulator always has, in two halves: whole, it would be found by every scanner.
EMULATOR_KEY = "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9n" + "DuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="

# Every process of ours and what it cannot do without.
PROCESSES: dict[str, set[str]] = {
    "stream": {"KAFKA_BOOTSTRAP_SERVERS", "KAFKA_SASL_PASSWORD", "SCORING_URL", "SCORING_KEY"},
    "store": {"KAFKA_BOOTSTRAP_SERVERS", "KAFKA_SASL_PASSWORD", "MONGO_URI"},
    "scoring": {"MLFLOW_TRACKING_URI", "SCORING_KEY"},
    "dashboards": {"MONGO_URI"},
}


def test_other_profiles_need_no_secret() -> None:
    assert missing(load_settings()) == []
    assert missing(load_settings(profile="compose")) == []


def test_an_empty_azure_profile_names_all_that_is_missing() -> None:
    assert [setting.variable for setting in missing(load_settings(profile="azure"))] == [
        "FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS",
        "FRAUDSTREAM_KAFKA_SASL_PASSWORD",
        "FRAUDSTREAM_MONGO_URI",
        "FRAUDSTREAM_MLFLOW_TRACKING_URI",
        "FRAUDSTREAM_SCORING_URL",
        "FRAUDSTREAM_SCORING_KEY",
    ]


def test_a_complete_azure_profile_starts() -> None:
    settings = load_settings(**AZURE)
    assert require(settings, *ALL_NEEDS) is settings


@pytest.mark.parametrize(
    ("changes", "needs", "lacking"),
    [
        ({"scoring": "embedded", "scoring_url": "", "scoring_key": ""}, ("scoring",), []),
        ({"scoring": "embedded", "mlflow_tracking_uri": ""}, ("scoring",), ["mlflow_tracking_uri"]),
        ({"kafka_sasl_mechanism": "OAUTHBEARER", "kafka_sasl_password": ""}, ("kafka",), []),
        (
            {"kafka_sasl_mechanism": "OAUTHBEARER", "kafka_oauth_client_id": "app"},
            ("kafka",),
            ["kafka_oauth_token_url", "kafka_oauth_client_secret"],
        ),
        ({"mongo_uri": ""}, ("kafka",), []),
    ],
)
def test_a_process_needs_only_what_it_uses(
    changes: dict[str, str], needs: tuple[Need, ...], lacking: list[str]
) -> None:
    assert [setting.name for setting in missing(load_settings(**(AZURE | changes)), needs)] == lacking


@pytest.mark.parametrize(
    "secret",
    [
        "<key>",
        "Endpoint=sb://<namespace>.servicebus.windows.net/;SharedAccessKeyName=a;SharedAccessKey=<key>",
        "change-me",
        "ChangeMe",
        "password",
        "your-key-here",
        "xxxx",
        "Endpoint=sb://localhost;SharedAccessKeyName=a;SharedAccessKey=SAS_KEY_VALUE;UseDevelopmentEmulator=true;",
        f"mongodb://localhost:{EMULATOR_KEY}@localhost:10255/admin?ssl=true",
        EMULATOR_KEY.replace("/", "%2F").replace("+", "%2B").replace("=", "%3D"),
    ],
)
def test_a_secret_that_everybody_knows_is_refused(secret: str) -> None:
    assert is_placeholder(secret)
    with pytest.raises(ConfigurationError, match="FRAUDSTREAM_SCORING_KEY") as caught:
        require(load_settings(**(AZURE | {"scoring_key": secret})), "scoring")
    assert secret not in str(caught.value)


def test_start_settings_read_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDSTREAM_PROFILE", "azure")
    with pytest.raises(ConfigurationError, match=r"azure/\.env\.example"):
        start_settings("mongo")
    monkeypatch.setenv("FRAUDSTREAM_MONGO_URI", AZURE["mongo_uri"])
    assert start_settings("mongo").secrets_required


@pytest.mark.parametrize("name", PROCESSES)
@pytest.mark.parity("default and empty secrets stop a process", "azure")
def test_every_process_refuses_to_start_and_names_what_it_lacks(name: str) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("FRAUDSTREAM_")}
    done = subprocess.run(
        [sys.executable, "-m", f"fraudstream.{name}"],
        env=environment | {"FRAUDSTREAM_PROFILE": "azure"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == ConfigurationError.exit_status, done.stderr
    named = set(re.findall(r"FRAUDSTREAM_(\w+)", done.stdout + done.stderr))
    assert PROCESSES[name] <= named


@pytest.mark.parametrize(
    ("command", "variable"),
    [
        (("generate", "live", "--count", "1"), "FRAUDSTREAM_KAFKA_SASL_PASSWORD"),
        (("train",), "FRAUDSTREAM_MONGO_URI"),
        (("models", "list"), "FRAUDSTREAM_MLFLOW_TRACKING_URI"),
        (("rejected", "list"), "FRAUDSTREAM_MONGO_URI"),
    ],
)
def test_every_command_refuses_to_start_and_names_what_it_lacks(command: tuple[str, ...], variable: str) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("FRAUDSTREAM_")}
    done = subprocess.run(
        [sys.executable, "-m", "fraudstream.runtime", *command],
        env=environment | {"FRAUDSTREAM_PROFILE": "azure"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == ConfigurationError.exit_status, done.stderr
    assert variable in done.stderr
