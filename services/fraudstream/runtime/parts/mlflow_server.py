"""The MLflow server: its command and its environment; ``python -m fraudstream.runtime.parts.mlflow_server`` runs it."""

from __future__ import annotations

import contextlib
import glob
import os
import sqlite3
import sys
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from fraudstream.core.configuration.settings import Settings, load_settings
from fraudstream.core.errors import FraudstreamError, RuntimePartError
from fraudstream.core.process import environment as core_environment
from fraudstream.runtime.parts.addresses import in_url, reachable

_DATABASE = "mlflow.db"
_OPENED = ("FILE_STORE", "REGISTRY_STORE", "ARTIFACT_ROOT")
_OPENING_SECONDS = 5.0
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


def folder(settings: Settings) -> Path:
    """Where the registry's database and the models are kept."""
    return settings.data_dir.resolve() / "mlflow"


def command(settings: Settings) -> list[str]:
    """What starts the server on ``bind_host:mlflow_port``; it has to run in :func:`folder`."""
    # `mlflow server` would do the same and stay beside the server for nothing: twice the start and the memory.
    return [
        *(sys.executable, "-m", "uvicorn", "--factory", "fraudstream.runtime.parts.mlflow_server:app"),
        *("--host", settings.bind_host, "--port", str(settings.mlflow_port)),
        *("--workers", "1", "--log-level", "warning"),
    ]


def app() -> Any:
    """MLflow's own app, whose tables are there before it answers.

    Made by its first requests they are broken for good where two come at once: MLflow keeps other processes from making
    them at the same time, and not another thread.
    """
    from mlflow.server import fastapi_app, handlers

    store, registry, artifacts = (os.environ[f"_MLFLOW_SERVER_{name}"] for name in _OPENED)
    handlers.initialize_backend_stores(store, registry, artifacts)
    return fastapi_app.app


def environment(settings: Settings) -> dict[str, str]:
    """What the server reads from its environment."""
    # Below the folder that it runs in: a URI would have to escape what the folder's name may hold.
    database = f"sqlite:///{_DATABASE}"
    return {
        "_MLFLOW_SERVER_FILE_STORE": database,
        "_MLFLOW_SERVER_REGISTRY_STORE": database,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": "./artifacts",
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "_MLFLOW_SGI_NAME": "uvicorn",
        # Serves evaluations of language models, which are not ours.
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    } | _allowed_hosts(settings)


def prepare(settings: Settings) -> None:
    """Make the folder that the server writes to, and see whether its database can be opened.

    Raises :class:`RuntimePartError`: the server itself would try for minutes and be deaf to signals meanwhile.
    """
    database = folder(settings) / _DATABASE
    try:
        (folder(settings) / "artifacts").mkdir(parents=True, exist_ok=True)
        with contextlib.closing(sqlite3.connect(database, timeout=_OPENING_SECONDS)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.rollback()
    except (OSError, sqlite3.Error) as error:
        raise RuntimePartError(
            f"MLflow's database {database} cannot be opened for writing ({error}). Make the folder writable, or set "
            "FRAUDSTREAM_DATA_DIR to another one; if the file is damaged, `fraudstream reset` starts anew."
        ) from error


def _allowed_hosts(settings: Settings) -> dict[str, str]:
    """Under which names it may be asked, where that is more than this machine's own: it refuses all others."""
    asked = {urlsplit(settings.mlflow_tracking_uri).hostname or "", reachable(settings.bind_host)}
    if asked <= {"", *_LOCAL_HOSTS}:
        return {}
    names = [in_url(host) for host in (*_LOCAL_HOSTS, *sorted(asked - {"", *_LOCAL_HOSTS}))]
    # With a port they are patterns, in which a bracket stands for a choice of characters.
    return {"MLFLOW_SERVER_ALLOWED_HOSTS": ",".join((*names, *(f"{glob.escape(name)}:*" for name in names)))}


def main() -> NoReturn:
    """Become the server, or end with a line that says why it cannot."""
    try:
        settings = load_settings()
        prepare(settings)
    except FraudstreamError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_status)
    words = command(settings)
    variables = {**core_environment.made(os.environ), **environment(settings)}
    os.chdir(folder(settings))
    os.execve(words[0], words, variables)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
