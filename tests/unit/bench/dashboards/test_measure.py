"""The dashboards' benchmark: without a browser, and when it is interrupted."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from fraudstream.bench.dashboards import browsing
from fraudstream.bench.dashboards.measure import browser_versions, in_own_process, summary
from fraudstream.core.errors import FraudstreamError


def test_without_a_browser_the_parts_that_need_one_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(browsing, "CHROMIUM", tmp_path / "chromium")
    assert "chromium" not in browser_versions(["callbacks"])
    with pytest.raises(FraudstreamError, match=r"to measure heap in.* --only callbacks"):
        browser_versions(["callbacks", "heap"])


def test_an_interrupt_ends_the_process_that_measures() -> None:
    started = time.monotonic()
    threading.Timer(2.0, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        in_own_process(time.sleep, 60.0)
    assert time.monotonic() - started < 20


def test_a_summary_has_nearest_ranks() -> None:
    assert summary([4.0, 1.0, 2.0, 3.0]) == {"count": 4, "p50_ms": 2.0, "p95_ms": 4.0, "max_ms": 4.0}
