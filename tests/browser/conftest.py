"""The dashboards served in this process, and a Chromium to look at them."""

from __future__ import annotations

import importlib.util
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright
from werkzeug.serving import make_server

from fraudstream.core.documents import database
from fraudstream.core.settings import load_settings
from fraudstream.dashboards.app import create_app
from fraudstream.dashboards.feed import Feed
from fraudstream.dashboards.queries import Store, read_snapshot

CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Read before the per-test fixture clears the environment.
REAL_STORE_URI = os.environ.get("FRAUDSTREAM_MONGO_URI", "")


@dataclass
class Site:
    """A running server; ``memory`` is its store in memory, absent when it reads a real one."""

    url: str
    memory: Any = None


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        reason = f"{CHROMIUM} is missing; install the Debian package chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(CHROMIUM_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def site(project_root: Path) -> Iterator[Site]:
    if REAL_STORE_URI:
        yield from _served(database(load_settings(mongo_uri=REAL_STORE_URI)), None)
        return
    memory = _memory_store(project_root).make_traffic(datetime.now(UTC), live=1500, history=800).store
    yield from _served(memory, memory)


def _served(store: Store, memory: Any) -> Iterator[Site]:
    with Feed(lambda: read_snapshot(store, datetime.now(UTC)), interval_seconds=0.2) as feed:
        server = make_server("127.0.0.1", 0, create_app(load_settings(), feed).server, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Site(f"http://127.0.0.1:{server.server_port}", memory)
        server.shutdown()
        thread.join(timeout=10)


def _memory_store(project_root: Path) -> ModuleType:
    path = project_root / "tests/unit/dashboards/conftest.py"
    spec = importlib.util.spec_from_file_location("memory_store", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
