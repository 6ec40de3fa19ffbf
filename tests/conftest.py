"""Every test starts from the default settings: no FRAUDSTREAM_ variable, no `.env` of the caller's, plain logging.

What other tests' settings held is no secret of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from fraudstream.core.output import redaction


@pytest.fixture(autouse=True)
def clean_environ(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in list(os.environ):
        if name.startswith("FRAUDSTREAM_") and name != "FRAUDSTREAM_CACHE_DIR":
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path_factory.mktemp("cwd"))


@pytest.fixture(autouse=True)
def no_known_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "KNOWN", redaction.Secrets())


@pytest.fixture(autouse=True)
def unconfigured_logging() -> Iterator[None]:
    """A command that a test runs in this process sets up logging, to a stream that ends with the test."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def project_root() -> Path:
    return Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--record-mongo-commands",
        action="store_true",
        help="write azure/mongo-commands.json anew (tests/stack/test_mongo_commands.py)",
    )
