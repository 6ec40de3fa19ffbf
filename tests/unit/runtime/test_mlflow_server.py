"""Under which names the MLflow server may be asked, and where it keeps its data."""

from __future__ import annotations

from pathlib import Path

from fraudstream.core.settings import load_settings
from fraudstream.runtime import mlflow_server


def test_on_one_machine_mlflow_keeps_its_own_rule() -> None:
    assert "MLFLOW_SERVER_ALLOWED_HOSTS" not in mlflow_server.environment(load_settings())


def test_among_containers_it_answers_to_its_service_name_with_and_without_port() -> None:
    allowed = mlflow_server.environment(load_settings(profile="compose"))["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")
    assert {"mlflow", "mlflow:*", "127.0.0.1:*"} <= set(allowed)
    assert "*" not in allowed


def test_data_lie_in_the_data_folder(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path)
    mlflow_server.prepare(settings)
    assert (tmp_path / "mlflow" / "artifacts").is_dir()
    assert str(tmp_path) in mlflow_server.environment(settings)["_MLFLOW_SERVER_FILE_STORE"]
