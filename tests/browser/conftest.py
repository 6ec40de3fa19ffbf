"""The dashboards in this process, over data in memory at a fixed time, and a Chromium to view them."""

from __future__ import annotations

import importlib.util
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from waitress.server import create_server

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.contract.event import parse_event
from fraudstream.dashboards.app import create_app
from fraudstream.dashboards.data.parts.health import PartHealth, Sample, SystemSnapshot
from fraudstream.dashboards.data.parts.model import ModelInfo
from fraudstream.dashboards.data.sources import Sources
from tests.missing import skip_without

CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
    "--force-color-profile=srgb",
)
WAIT_MS = 60_000
PHONE: Any = {"width": 390, "height": 844}
READY = "panel panel--ready"
# Figures and tables appear after their data, because their scripts are loaded when they are first needed. A table is
# drawn again once it has measured itself: after so many frames without a change it is final.
DRAWN = """() => {
    const all = (kind, part) => [...document.querySelectorAll(`.panel--ready ${kind}`)]
        .filter(element => element.checkVisibility()).every(element => element.querySelector(part));
    const drawn = all('.dash-graph', '.trace') && all('.grid', '.ag-row .ag-cell') && all('.grid', '.ag-header-cell');
    const parts = document.querySelectorAll('.trace, .ag-cell, .ag-header-cell').length;
    const before = window.unchanged || { parts: -1, frames: 0 };
    window.unchanged = { parts, frames: drawn && parts === before.parts ? before.frames + 1 : 0 };
    return window.unchanged.frames >= 20;
}"""
# A machine that also runs other tests is slow.
expect.set_options(timeout=20_000)
NOW = datetime(2026, 5, 4, 12, 0, 30, tzinfo=UTC)


@dataclass
class HealthStub:
    """Parts in a fixed state."""

    def look(self, now: datetime) -> SystemSnapshot:
        parts = (
            PartHealth("Kafka", "ok", "4 topics", answer_ms=6.0),
            PartHealth("Stream job", "ok", "keeps up", rate=51.7, lag=12),
            PartHealth("Scoring service", "ok", "serves version 3", answer_ms=4.0, errors=0),
            PartHealth("Store job", "behind", "14 s of work ahead", rate=40.2, lag=563),
            PartHealth("Document store", "ok", "answers", answer_ms=2.0),
            PartHealth("MLflow", "away", "MLflow at http://127.0.0.1:5000 does not answer."),
            PartHealth("Dashboards", "ok", "serve this page"),
        )
        metrics = {"average_precision": 0.8812, "precision": 0.881, "recall": 0.741, "roc_auc": 0.9712}
        model = ModelInfo("fraud", "3", NOW - timedelta(days=2), metrics, "/nowhere", "/nowhere")
        samples = tuple(
            Sample(
                now - timedelta(seconds=3 * (60 - step)),
                {"stream": 50 + 3.0 * (step % 7), "store": 48 + 2.0 * (step % 9)},
                {"stream": 10 + step % 5, "store": 9 * step},
            )
            for step in range(60)
        )
        return SystemSnapshot(now, parts, model, samples)


@dataclass
class ReplayStub:
    """Takes events as the topic would."""

    sent: list[bytes] = field(default_factory=list)

    def send(self, rejected_id: str, value: bytes) -> str:
        parse_event(value)
        self.sent.append(value)
        return f"transactions/0/{len(self.sent)}"


@dataclass
class Site:
    """A running server with what is behind it; ``clock`` holds the moment that the pages take for now."""

    url: str
    traffic: Any
    replay: ReplayStub
    clock: list[datetime]
    sources: Sources


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@contextmanager
def launched() -> Iterator[Browser]:
    """A Chromium without a window. The test is skipped on a machine without Chromium, and fails there in CI."""
    chromium = shutil.which("chromium")
    if chromium is None:
        skip_without("Chromium", "apt-get install chromium fonts-liberation")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(CHROMIUM_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def made_traffic(project_root: Path) -> Any:
    return _memory_store(project_root).make_traffic(NOW, live=3000, history=2000)


@pytest.fixture(scope="package")
def served(made_traffic: Any) -> Iterator[Site]:
    traffic = made_traffic.copy()
    clock, replay = [NOW], ReplayStub()
    settings = load_settings(mlflow_tracking_uri="", scoring="embedded")
    sources = Sources(
        settings, traffic.store, traffic.tail, 0.2, replay=replay, health=HealthStub(), now=lambda: clock[0]
    )
    with sources:
        server = create_server(create_app(settings, sources).server, host="127.0.0.1", port=0, threads=6)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        yield Site(f"http://127.0.0.1:{server.effective_port}", traffic, replay, clock, sources)
        server.close()
        thread.join(timeout=10)


@pytest.fixture
def site(served: Site, made_traffic: Any) -> Site:
    """The server with its original data. All tests share it, because browsers cache what they loaded from it."""
    fresh = made_traffic.copy()
    served.traffic.store.collections = fresh.store.collections
    for collection in fresh.store.collections.values():
        collection.store = served.traffic.store
    served.traffic.store.away = False
    served.traffic.tail.window = fresh.tail.window
    served.traffic.tail.problem = ""
    served.replay.sent.clear()
    return served


_CONTEXTS: dict[tuple[Browser, str], BrowserContext] = {}


class Visitor:
    """One reader's page; it records errors on the console and requests to other hosts.

    All readers of a locale share a context with its cache: without it, the first page takes half a minute on a slow
    machine. ``media`` are the preferences that a page can emulate, such as reduced motion.
    """

    def __init__(
        self,
        browser: Browser,
        home: str,
        locale: str = "en-GB",
        viewport: Any = None,
        color_scheme: Any = "light",
        **media: Any,
    ) -> None:
        key = (browser, locale)
        self.context: BrowserContext = _CONTEXTS.get(key) or _CONTEXTS.setdefault(
            key, browser.new_context(locale=locale)
        )
        self.page: Page = self.context.new_page()
        size: Any = viewport or {"width": 1440, "height": 900}
        self.page.set_viewport_size(size)
        self.page.emulate_media(color_scheme=color_scheme, **media)
        self.page.set_default_timeout(WAIT_MS)
        self.complaints: list[str] = []
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self._request(request.url, home))

    def leave(self) -> None:
        """Close the page and forget what it stored."""
        if self.page.url.startswith("http"):
            self.page.evaluate("localStorage.clear()")
        self.page.close()

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.complaints.append(message.text)

    def _request(self, url: str, home: str) -> None:
        if not url.startswith((home, "data:", "blob:")):
            self.complaints.append(url)


@pytest.fixture
def visit(chromium: Browser, site: Site) -> Iterator[Any]:
    """Opens browsers; each fails its test when it logged an error or asked another host for anything."""
    visitors: list[Visitor] = []

    def open_browser(**options: Any) -> Page:
        visitors.append(Visitor(chromium, site.url, **options))
        return visitors[-1].page

    yield open_browser
    for visitor in visitors:
        visitor.leave()
    assert [complaint for visitor in visitors for complaint in visitor.complaints] == []


@pytest.fixture
def page(visit: Any) -> Page:
    opened: Page = visit()
    return opened


def expect_ready(page: Page, panel_ids: list[str]) -> None:
    """Wait until these panels show their data."""
    for panel_id in panel_ids:
        expect(page.locator(f"#{panel_id}")).to_have_class(READY, timeout=WAIT_MS)


def expect_settled(page: Page) -> None:
    """Wait until every panel in sight has drawn its data, or says that there are no data."""
    shown = page.locator("section.panel--ready:visible, section.panel--empty:visible").first
    expect(shown).to_be_visible(timeout=WAIT_MS)
    expect(page.locator("section.panel--loading:visible")).to_have_count(0, timeout=WAIT_MS)
    page.wait_for_function(DRAWN)


def switch_to_dark(page: Page) -> None:
    """Click the sun, and wait until the page and its figures have changed."""
    tick = page.locator(".panel--ready:visible .ytick text").first
    drawn = tick.evaluate("element => getComputedStyle(element).fill") if tick.count() else ""
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    if drawn:
        expect(tick).not_to_have_css("fill", drawn)


def _memory_store(project_root: Path) -> ModuleType:
    path = project_root / "tests/unit/dashboards/conftest.py"
    spec = importlib.util.spec_from_file_location("memory_store", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
