"""The MLflow server: its command, its environment, and ``python -m fraudstream.runtime.mlflow_server`` to run it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

from fraudstream.core.settings import Settings, load_settings

_LOCAL_HOSTS = ("localhost", "127.0.0.1")


def folder(settings: Settings) -> Path:
    """Where the registry's database and the models are kept."""
    return settings.data_dir.resolve() / "mlflow"


def command(settings: Settings) -> list[str]:
    """What starts the server on ``bind_host:mlflow_port``."""
    # `mlflow server` would do the same and stay beside the server for nothing: twice the start and the memory.
    return [
        *(sys.executable, "-m", "uvicorn", "mlflow.server.fastapi_app:app"),
        *("--host", settings.bind_host, "--port", str(settings.mlflow_port)),
        *("--workers", "1", "--log-level", "warning"),
    ]


def environment(settings: Settings) -> dict[str, str]:
    """What the server reads from its environment."""
    database = f"sqlite:///{folder(settings) / 'mlflow.db'}"
    return {
        "_MLFLOW_SERVER_FILE_STORE": database,
        "_MLFLOW_SERVER_REGISTRY_STORE": database,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(folder(settings) / "artifacts"),
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "_MLFLOW_SGI_NAME": "uvicorn",
        # Serves evaluations of language models, which are not ours.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    } | _allowed_hosts(settings)


def prepare(settings: Settings) -> None:
    """Make the folder that the server writes to."""
    (folder(settings) / "artifacts").mkdir(parents=True, exist_ok=True)


def _allowed_hosts(settings: Settings) -> dict[str, str]:
    """Under which names it may be asked, where that is more than this machine's own: it refuses all others."""
    host = urlsplit(settings.mlflow_tracking_uri).hostname or ""
    if host in ("", *_LOCAL_HOSTS):
        return {}
    names = (*_LOCAL_HOSTS, host)
    return {"MLFLOW_SERVER_ALLOWED_HOSTS": ",".join((*names, *(f"{name}:*" for name in names)))}


def main() -> None:
    """Become the server; returns only by an error."""
    settings = load_settings()
    prepare(settings)
    words = command(settings)
    os.execve(words[0], words, {**os.environ, **environment(settings)})  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
