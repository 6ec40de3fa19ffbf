"""Settings: which source wins, what each profile sets, and that no secret is ever shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from fraudstream.core.configuration.settings import (
    Settings,
    load_settings,
    mask_uri,
    profile_values,
    shown_values,
    validated,
    value_sources,
)
from fraudstream.core.errors import ConfigurationError

SECRETS = {
    "FRAUDSTREAM_KAFKA_SASL_PASSWORD": "Endpoint=sb://space.servicebus.windows.net/;SharedAccessKey=hush",
    "FRAUDSTREAM_MONGO_URI": "mongodb://account:hush@store.example:10255/?ssl=true&appName=@account@",
    "FRAUDSTREAM_SCORING_KEY": "https://hush",
}


def test_each_source_gives_way_to_the_one_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    dotenv = Path(".env")

    def bootstrap_servers(**overrides: Any) -> tuple[str, str]:
        return load_settings(**overrides).kafka_bootstrap_servers, value_sources()["kafka_bootstrap_servers"]

    assert Settings.model_fields["kafka_bootstrap_servers"].default == ""
    assert bootstrap_servers(profile="azure")[0] == ""
    assert bootstrap_servers() == ("127.0.0.1:9092", "profile local")
    dotenv.write_text("FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS=from-dotenv:1\n")
    assert bootstrap_servers() == ("from-dotenv:1", ".env")
    monkeypatch.setenv("FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS", "from-environment:2")
    assert bootstrap_servers() == ("from-environment:2", "environment")
    assert bootstrap_servers(kafka_bootstrap_servers="argument:3")[0] == "argument:3"


def test_the_profile_itself_comes_from_the_environment_before_dotenv(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("FRAUDSTREAM_PROFILE=azure\n")
    assert load_settings().kafka_security_protocol == "SASL_SSL"
    assert value_sources()["kafka_security_protocol"] == "profile azure"
    monkeypatch.setenv("FRAUDSTREAM_PROFILE", "compose")
    settings = load_settings()
    assert (settings.profile, settings.kafka_bootstrap_servers) == ("compose", "kafka:9092")
    assert value_sources()["kafka_security_protocol"] == "default"
    assert value_sources()["profile"] == "environment"


def test_an_empty_variable_counts_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDSTREAM_KAFKA_PORT", "")
    monkeypatch.setenv("FRAUDSTREAM_PROFILE", "")
    assert load_settings().kafka_port == 9092
    assert value_sources()["kafka_port"] == "default"


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (
            "local",
            {
                "bind_host": "127.0.0.1",
                "kafka_bootstrap_servers": "127.0.0.1:9092",
                "kafka_security_protocol": "PLAINTEXT",
                "mongo_uri": SecretStr("mongodb://127.0.0.1:27017/?retryWrites=false"),
                "mlflow_tracking_uri": "http://127.0.0.1:5000",
                "scoring_url": "http://127.0.0.1:8000",
                "dashboard_url": "http://127.0.0.1:8050",
                "topic_partitions": 2,
            },
        ),
        (
            "compose",
            {
                "bind_host": "0.0.0.0",  # noqa: S104 - inside a container
                "kafka_bootstrap_servers": "kafka:9092",
                "kafka_security_protocol": "PLAINTEXT",
                "mongo_uri": SecretStr("mongodb://mongo:27017/?retryWrites=false"),
                "mlflow_tracking_uri": "http://mlflow:5000",
                "scoring_url": "http://scoring:8000",
                "dashboard_url": "http://127.0.0.1:8050",
            },
        ),
        (
            "azure",
            {
                "kafka_bootstrap_servers": "",
                "kafka_security_protocol": "SASL_SSL",
                "kafka_sasl_mechanism": "PLAIN",
                "kafka_sasl_username": "$ConnectionString",
                "mongo_uri": SecretStr(""),
                "mlflow_tracking_uri": "",
                "scoring_url": "",
                "topic_partitions": 4,
            },
        ),
    ],
)
def test_what_each_profile_chooses(monkeypatch: pytest.MonkeyPatch, profile: str, expected: dict[str, Any]) -> None:
    monkeypatch.setenv("FRAUDSTREAM_PROFILE", profile)
    settings = load_settings()
    assert {name: getattr(settings, name) for name in expected} == expected


@pytest.mark.parametrize("profile", ["local", "compose", "azure"])
def test_a_profile_sets_only_settings_that_exist(profile: str) -> None:
    assert profile_values(profile)
    assert set(profile_values(profile)) <= set(Settings.model_fields) - {"profile"}


def test_addresses_follow_the_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDSTREAM_KAFKA_PORT", "19092")
    monkeypatch.setenv("FRAUDSTREAM_MONGO_PORT", "37017")
    monkeypatch.setenv("FRAUDSTREAM_SCORING_URL", "http://elsewhere:{scoring_port}/{other}")
    settings = load_settings(mlflow_port=5001)
    assert settings.kafka_bootstrap_servers == "127.0.0.1:19092"
    assert settings.mongo_uri.get_secret_value() == "mongodb://127.0.0.1:37017/?retryWrites=false"
    assert settings.mlflow_tracking_uri == "http://127.0.0.1:5001"
    assert settings.scoring_url == "http://elsewhere:8000/{other}"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("FRAUDSTREAM_PROFILE", "cloud"),
        ("FRAUDSTREAM_KAFKA_PORT", "70000"),
        ("FRAUDSTREAM_MONGO_PORT", "many"),
        ("FRAUDSTREAM_SCORING", "sometimes"),
        ("FRAUDSTREAM_TRIGGER", "hourly"),
        ("FRAUDSTREAM_DRIVER_MEMORY", "2GB"),
        ("FRAUDSTREAM_CHAMPION_POLL_SECONDS", "0"),
        ("FRAUDSTREAM_ROLLUP_WATERMARK_SECONDS", "59"),
    ],
)
def test_an_unusable_value_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert str(caught.value).startswith(f"{variable}: ")
    assert f"(is {value!r})" in str(caught.value)
    assert caught.value.exit_status == 2


@pytest.mark.parametrize("name", [name for name, field in Settings.model_fields.items() if field.annotation is float])
@pytest.mark.parametrize("value", ["inf", "-Infinity", "nan", "1e999"])
def test_no_number_is_infinite_or_none(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    variable = f"FRAUDSTREAM_{name.upper()}"
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError, match=rf"^{variable}: Input should be a finite number \(is '{value}'\)"):
        load_settings()
    monkeypatch.delenv(variable)
    with pytest.raises(ConfigurationError, match=f"^{variable}: "):
        load_settings(**{name: float(value)})


def test_all_unusable_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDSTREAM_TRIGGER", "hourly")
    monkeypatch.setenv("FRAUDSTREAM_LOG_LEVEL", "LOUD")
    with pytest.raises(ConfigurationError, match=r"FRAUDSTREAM_LOG_LEVEL.*FRAUDSTREAM_TRIGGER"):
        load_settings()


def test_an_error_about_a_secret_does_not_show_it() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(mongo_uri=["hush"], kafka_sasl_password={"key": "hush"})
    assert "FRAUDSTREAM_MONGO_URI" in str(caught.value)
    assert "FRAUDSTREAM_KAFKA_SASL_PASSWORD" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in SECRETS.items():
        monkeypatch.setenv(variable, value)
    settings = load_settings()
    assert "hush" not in repr(settings)
    monkeypatch.setenv("FRAUDSTREAM_MLFLOW_TRACKING_URI", "https://user:hush@mlflow.example")
    settings = load_settings()
    shown = shown_values(settings)
    assert set(shown) == set(Settings.model_fields)
    assert "hush" not in repr(shown)
    assert shown["mongo_uri"] == "mongodb://account:********@store.example:10255/?ssl=true&appName=@account@"
    assert shown["mlflow_tracking_uri"] == "https://user:********@mlflow.example"
    assert shown["kafka_sasl_password"] == shown["scoring_key"] == "********"
    assert shown["data_dir"] == ".fraudstream"


def test_a_secret_that_is_not_set_is_shown_as_empty() -> None:
    assert shown_values(load_settings())["scoring_key"] == ""


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("mongodb://user:word@host:1/db?a=b", "mongodb://user:********@host:1/db?a=b"),
        ("mongodb://user:wo@rd@host", "mongodb://user:********@host"),
        ("mongodb://user:wo/rd==@host/", "mongodb://user:********@host/"),
        ("mongodb://user:word@one:1,two:2/?x=1", "mongodb://user:********@one:1,two:2/?x=1"),
        ("mongodb+srv://user:word@host/?tls=true", "mongodb+srv://user:********@host/?tls=true"),
        (
            "mongodb://h/?tlsCertificateKeyFilePassword=word&x=1",
            "mongodb://h/?tlsCertificateKeyFilePassword=********&x=1",
        ),
        ("https://host/score?code=word&a=b", "https://host/score?code=********&a=b"),
        ("mongodb://user@host:27017/", "mongodb://********@host:27017/"),
        ("mongodb://host:27017/?appName=@name@", "mongodb://host:27017/?appName=@name@"),
        ("127.0.0.1:9092", "127.0.0.1:9092"),
    ],
)
def test_masking_hides_who_signs_in_and_nothing_else(address: str, masked: str) -> None:
    assert mask_uri(address) == masked


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_settings().kafka_port = 1


def test_every_setting_is_described_and_has_a_default() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert not field.is_required(), name


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("scoring_url", "https://fraud.example/score?code=hush-hush-hush"),
        ("mlflow_tracking_uri", "https://ml:hush-hush@mlflow.example"),
        ("dashboard_url", "https://hush-hush@pages.example/?sig=hush"),
        ("kafka_sasl_username", "Endpoint=sb://space.example/;SharedAccessKeyName=n;SharedAccessKey=hush"),
        ("mongo_uri", f"mongodb://{'hush' * 15}%3D%3D:account@store.example:10255/"),
    ],
)
def test_no_secret_is_shown_that_stands_in_another_place(name: str, value: str) -> None:
    shown = shown_values(validated(**{name: value}))[name]
    assert "hush" not in shown
    assert "********" in shown


def test_a_projects_folder_is_absolute_and_a_bundled_name_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("mine", "payments"):
        (tmp_path / name).mkdir()
    assert load_settings(project="mine").project == str(tmp_path / "mine")
    assert load_settings(project="payments").project == "payments"
    assert load_settings(project="./payments").project == str(tmp_path / "payments")
    assert load_settings(project="nowhere").project == "nowhere"
