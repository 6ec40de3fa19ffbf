"""`azure/.env.example` explains every variable, and `config show` and `doctor` tell what is missing and no secret."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote_plus

import pytest

from fraudstream.cloud.rehearsal import environment
from fraudstream.core.configuration.required import is_placeholder, missing
from fraudstream.core.configuration.settings import Settings, load_settings, profile_values
from tests.azure import AZURE, COSMOS_KEY, SAS_KEY
from tests.impatient import impatient

pytestmark = pytest.mark.timeless

PREFIX = "FRAUDSTREAM_"
# Of the parts that run on a developer's machine, and of clients whose defaults hold in Azure as well.
NOT_OF_AZURE = {
    "kafka_port",
    "kafka_controller_port",
    "mongo_port",
    "mlflow_port",
    "scoring_port",
    "dashboard_port",
    "kafka_heap",
    "spark_master",
    "dashboard_guarded",
    "kafka_ssl_cafile",
    # In Azure, Event Hubs takes what comes over HTTP.
    "with_parts",
    "ingest_port",
    "ingest_hubs",
    "ingest_throughput_units",
    "ingest_clock_skew_seconds",
    "ingest_jwks",
    "ingest_token_issuer",
    "ingest_token_roles",
    "tls_certificate",
    "tls_key",
    # And an IoT hub takes what devices send.
    "mqtt_port",
    "mqtt_tls_port",
    "mqtt_client_cafile",
    "iot_hub",
    "iot_hub_host",
    "iot_hub_port",
    "iot_hub_url",
    "iot_hub_mqtt_url",
    "iot_hub_topic",
    "iot_edge_connection_string",
}
# How the jobs run is the same everywhere; docs/reference/settings.md explains these.
SAME_EVERYWHERE = {
    "log_level",
    "model_name",
    "champion_poll_seconds",
    "scoring_attempts",
    "trigger",
    "realtime_checkpoint_seconds",
    "trigger_interval_seconds",
    "store_interval_seconds",
    "rollup_interval_seconds",
    "rollup_watermark_seconds",
    "max_events_per_batch",
    "max_records_per_write",
    "query_python",
    "shuffle_partitions",
    "driver_memory",
    "driver_java_options",
}


@pytest.fixture(scope="module")
def example(project_root: Path) -> str:
    return (project_root / "azure" / ".env.example").read_text("utf-8")


def variables(example: str) -> list[str]:
    """The settings that the file names, commented out or not."""
    return [name.lower() for name in re.findall(rf"^(?:# )?{PREFIX}(\w+)=", example, re.MULTILINE)]


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    command = [sys.executable, "-m", "fraudstream.runtime", *words]
    return subprocess.run(
        # It alone waits for a broker for as long as the client does.
        impatient(*words) if words[0] == "generate" else command,
        env=kept | environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_every_variable_of_the_profile_is_there(example: str) -> None:
    named = set(variables(example))
    assert named <= set(Settings.model_fields)
    by_profile = set(profile_values("azure"))
    assert set(Settings.model_fields) - named == NOT_OF_AZURE | SAME_EVERYWHERE | (by_profile - named)


def test_every_variable_is_explained(example: str) -> None:
    """Above each stands a comment, or another value of the same setting that has one."""
    lines = example.splitlines()
    for number, line in enumerate(lines):
        if re.match(rf"(# )?{PREFIX}\w+=", line):
            above = next(line for line in reversed(lines[:number]) if not re.match(rf"(# )?{PREFIX}\w+=", line))
            assert above.startswith("# "), line
            assert len(above) > 20, line


@pytest.mark.parity("default and empty secrets stop a process", "azure")
def test_what_is_required_is_set_and_a_copy_does_not_start(
    example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copied as it is, the file names every secret and each one is still refused as a placeholder."""
    (tmp_path / ".env").write_text(example, "utf-8")
    monkeypatch.chdir(tmp_path)
    settings = load_settings()
    assert settings.profile == "azure"
    lacking = {setting.name: setting.problem for setting in missing(settings)}
    empty = {setting.name for setting in missing(Settings(profile="azure", _env_file=None))}
    assert set(lacking) == empty
    assert set(lacking.values()) == {"still holds a placeholder"}
    assert not is_placeholder(settings.mongo_database)


def test_config_show_tells_what_is_missing() -> None:
    done = run("config", "show", FRAUDSTREAM_PROFILE="azure")
    assert done.returncode == 0
    for setting in missing(load_settings(profile="azure")):
        assert f"missing {setting.variable} is empty" in done.stderr
    done = run("config", "show", "--json", FRAUDSTREAM_PROFILE="azure", FRAUDSTREAM_SCORING_KEY="<key>")
    assert "missing FRAUDSTREAM_SCORING_KEY still holds a placeholder" in done.stderr
    assert json.loads(done.stdout)["profile"] == "azure"


@pytest.mark.parametrize(
    "words",
    [
        ("config", "show"),
        ("config", "show", "--json"),
        ("doctor",),
        ("doctor", "--json"),
        ("status",),
        ("status", "--json"),
        ("check", "azure"),
        ("models", "list"),
        ("rejected", "list"),
        ("generate", "live", "--count", "1"),
    ],
    ids=" ".join,
)
@pytest.mark.parity("no secret in files, logs or output", "azure")
def test_no_command_shows_a_secret(words: tuple[str, ...]) -> None:
    """With addresses that nothing answers at: failures are where secrets get out."""
    values = AZURE | {
        "kafka_bootstrap_servers": "127.0.0.1:1",
        "mongo_uri": AZURE["mongo_uri"].replace("account.mongo.cosmos.azure.com:10255", "127.0.0.1:1")
        + "&serverSelectionTimeoutMS=500",
        "mlflow_tracking_uri": "https://user:a-password-of-mlflow@127.0.0.1:1",
        "scoring_url": "https://127.0.0.1:1",
        "kafka_oauth_client_secret": "a-secret-of-a-principal",
        "dashboard_password": "a-password-of-the-pages",
    }
    environment = {f"{PREFIX}{name.upper()}": str(value) for name, value in values.items()}
    done = run(*words, **environment)
    shown = done.stdout + done.stderr
    assert shown
    secrets = [
        *(SAS_KEY, COSMOS_KEY, quote_plus(COSMOS_KEY), AZURE["scoring_key"]),
        *("a-password-of-mlflow", "a-secret-of-a-principal", "a-password-of-the-pages"),
    ]
    assert [words for secret in secrets if secret in shown or secret[:24] in shown] == []


def test_variables_are_added_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_HEADER", "before")
    monkeypatch.delenv("IDENTITY_ENDPOINT", raising=False)
    with environment.added({"IDENTITY_ENDPOINT": "http://127.0.0.1:1/token", "IDENTITY_HEADER": "during"}):
        assert os.environ["IDENTITY_ENDPOINT"] == "http://127.0.0.1:1/token"
        assert os.environ["IDENTITY_HEADER"] == "during"
    assert "IDENTITY_ENDPOINT" not in os.environ
    assert os.environ["IDENTITY_HEADER"] == "before"
