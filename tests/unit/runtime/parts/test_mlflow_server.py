"""Under which names the MLflow server may be asked, and where it keeps its data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.errors import RuntimePartError
from fraudstream.runtime.parts import local as parts
from fraudstream.runtime.parts import mlflow_server


def test_on_one_machine_mlflow_keeps_its_own_rule() -> None:
    assert "MLFLOW_SERVER_ALLOWED_HOSTS" not in mlflow_server.environment(load_settings())


def test_among_containers_it_answers_to_its_service_name_with_and_without_port() -> None:
    allowed = mlflow_server.environment(load_settings(profile="compose"))["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")
    assert {"mlflow", "mlflow:*", "127.0.0.1:*"} <= set(allowed)
    assert "*" not in allowed


@pytest.mark.parametrize(
    ("values", "host"),
    [
        ({"mlflow_tracking_uri": "http://[::1]:5000", "bind_host": "::1"}, "[::1]"),
        ({"mlflow_tracking_uri": "http://[fd12::5]:5000", "bind_host": "fd12::5"}, "[fd12::5]"),
        ({"mlflow_tracking_uri": "http://127.0.0.1:5000", "bind_host": "::"}, "[::1]"),
        ({"mlflow_tracking_uri": "http://203.0.113.7:5000", "bind_host": "203.0.113.7"}, "203.0.113.7"),
        ({"mlflow_tracking_uri": "http://models.example.org:5000", "bind_host": "203.0.113.7"}, "203.0.113.7"),
        ({"mlflow_tracking_uri": "http://models.example.org:5000", "bind_host": "0.0.0.0"}, "models.example.org"),  # noqa: S104
        ({"profile": "compose"}, "mlflow"),
        ({}, "127.0.0.1"),
    ],
)
def test_mlflow_answers_under_every_name_by_which_its_readers_ask(
    values: dict[str, Any], host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow.server.fastapi_security import get_allowed_hosts
    from mlflow.server.security_utils import is_allowed_host_header

    name = "MLFLOW_SERVER_ALLOWED_HOSTS"
    if chosen := mlflow_server.environment(load_settings(**values)).get(name):
        monkeypatch.setenv(name, chosen)
    allowed = get_allowed_hosts()
    for asked in (host, f"{host}:5000", "localhost:5000", "127.0.0.1:5000", "[::1]:5000"):
        assert is_allowed_host_header(allowed, asked), asked
    for other in ("evil.example.org", "evil.example.org:5000", "[2001:db8::1]:5000", ":::5000"):
        assert not is_allowed_host_header(allowed, other), other


def test_data_lie_in_the_data_folder(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path)
    mlflow_server.prepare(settings)
    assert (tmp_path / "mlflow" / "artifacts").is_dir()
    assert mlflow_server.environment(settings)["_MLFLOW_SERVER_FILE_STORE"] == "sqlite:///mlflow.db"
    assert parts.local_parts(settings)[2].cwd == mlflow_server.folder(settings)


def test_a_database_that_cannot_be_opened_is_told_at_once(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path)
    mlflow_server.prepare(settings)
    database = tmp_path / "mlflow" / "mlflow.db"
    database.write_bytes(b"no database" * 100)
    with pytest.raises(RuntimePartError, match=r"mlflow\.db cannot be opened for writing \(.*not a database.*\)"):
        mlflow_server.prepare(settings)
    database.unlink()
    database.mkdir()
    with pytest.raises(RuntimePartError, match="FRAUDSTREAM_DATA_DIR"):
        mlflow_server.prepare(settings)
