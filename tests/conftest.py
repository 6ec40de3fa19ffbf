"""Every test starts from the default settings: no FRAUDSTREAM_ variable, no `.env` of the caller's, plain logging.

No test knows the secrets of another test's settings. The project is payments, unless the variable names the folder of
another one of ours: ``FRAUDSTREAM_PROJECT=tests/projects/renamed pytest tests/unit/store``.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from fraudstream.core.output import logs, redaction
from tests import missing

_PROJECT = "FRAUDSTREAM_PROJECT"
# The fixtures of tests/system that are made once a process, as parameters.
_SHARED = re.compile(r"\b(?:demo|installed|stack): ")
_PROJECTS = (Path(__file__).parent / "projects", Path(__file__).parents[1] / "projects")


def choose_project() -> None:
    """Leave the variable where it names a project of the tests or a bundled one, for this process and its children."""
    chosen = Path(os.environ.pop(_PROJECT, "")).resolve()
    if chosen.parent in _PROJECTS:
        os.environ[_PROJECT] = str(chosen)


# Before any other test module reads the event contract, which is decided once for a process.
choose_project()


@pytest.fixture(autouse=True)
def clean_environ(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in list(os.environ):
        if name.startswith("FRAUDSTREAM_") and name not in ("FRAUDSTREAM_CACHE_DIR", _PROJECT):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path_factory.mktemp("cwd"))


@pytest.fixture(autouse=True)
def no_known_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "KNOWN", redaction.Secrets())


@pytest.fixture(autouse=True)
def unconfigured_logging() -> Iterator[None]:
    """A command that a test runs in this process sends the logs to a stream that ends with the test."""
    yield
    structlog.reset_defaults()
    root = logging.getLogger()
    for handler in [kept for kept in root.handlers if type(kept).__module__ == logs.__name__]:
        root.removeHandler(handler)
        root.setLevel(logging.WARNING)


@pytest.fixture(scope="session")
def project_root() -> Path:
    return Path(__file__).resolve().parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--record-mongo-commands",
        action="store_true",
        help="write azure/mongo-commands.json again (tests/stack/test_mongo_commands.py)",
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With ``--dist loadfile`` one worker runs all files that share the running stack of tests/system."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    system = Path(__file__).parent / "system"
    sharing = {
        f"tests/system/{file.name}" for file in system.glob("test_*.py") if _SHARED.search(file.read_text("utf-8"))
    }

    class OneStack(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return "stack" if file in sharing else file

    return OneStack(config, log)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None]:
    """Say on one line, after everything else, which tests this machine cannot run and how to get what they need."""
    yield
    skipped = [report.longrepr for report in terminalreporter.stats.get("skipped", ())]
    if line := missing.summary(place[2] for place in skipped if isinstance(place, tuple)):
        terminalreporter.write_line(f"Not run: {line}", yellow=True)
