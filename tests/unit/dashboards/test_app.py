"""The application: its addresses, its files, and what it loads."""

from __future__ import annotations

import hashlib
import io
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import plotly
import pytest

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.errors import ConfigurationError
from fraudstream.dashboards import app as app_module
from fraudstream.dashboards.app import create_app
from fraudstream.dashboards.data.sources import NoTail, Sources
from tests.pages import ask_for_page

SETTINGS = {"mlflow_tracking_uri": "http://127.0.0.1:5123", "scoring": "embedded"}


@pytest.fixture
def sources(traffic: Any) -> Iterator[Sources]:
    with Sources(load_settings(**SETTINGS), traffic.store, traffic.tail) as sources:
        yield sources


@pytest.fixture
def browser(sources: Sources) -> Any:
    return create_app(sources.settings, sources).server.test_client()


def refresh_live(browser: Any, **values: Any) -> dict[str, Any]:
    """The live page's refresh as a browser asks for it, with these components' values."""
    callbacks = browser.get("/_dash-dependencies").get_json()
    callback = next(callback for callback in callbacks if any(item["id"] == "live-tick" for item in callback["inputs"]))
    outputs = callback["output"].removeprefix("..").removesuffix("..").split("...")
    request = {
        "output": callback["output"],
        "outputs": [dict(zip(("id", "property"), output.rsplit(".", 1), strict=True)) for output in outputs],
        "inputs": [{**item, "value": values.get(item["id"])} for item in callback["inputs"]],
        "state": [{**item, "value": None} for item in callback["state"]],
        "changedPropIds": ["live-range.value"],
    }
    answer = browser.post("/_dash-update-component", json=request)
    assert answer.status_code == 200
    response: dict[str, Any] = answer.get_json()["response"]
    return response


def test_a_pause_can_freeze_the_moment_that_the_server_shows(traffic: Any) -> None:
    settings = load_settings(**SETTINGS)
    with Sources(settings, traffic.store, traffic.tail, now=lambda: traffic.now) as sources:
        browser = create_app(settings, sources).server.test_client()
        shown = refresh_live(browser, **{"live-range": "15m"})
        moment = shown["live-moment"]["data"]
        assert moment == str(round(traffic.now.timestamp() * 1000))
        paused = refresh_live(browser, **{"live-range": "15m", "live-paused": moment})
    assert paused["live-status"]["children"] == "Paused"
    assert paused["live-moment"]["data"] == moment
    for card in ("live-transactions", "live-frauds", "live-risk"):
        assert paused[card]["children"] == shown[card]["children"] != "0"


def test_the_page_loads_nothing_from_elsewhere(browser: Any) -> None:
    page = browser.get("/").get_data(as_text=True)
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert addresses
    assert [address for address in addresses if not address.startswith("/")] == []


def test_the_small_bundle_of_plotly_is_loaded_before_the_renderer(browser: Any) -> None:
    """Dash fetches the whole of Plotly, four times the size, only where no script has brought it by then."""
    page = browser.get("/").get_data(as_text=True)
    assert 0 < page.index("plotly-basic.min.js") < page.index("DashRenderer()")


def test_the_tables_library_is_named_and_left_to_the_first_table(browser: Any) -> None:
    page = browser.get("/").get_data(as_text=True)
    named = re.findall(r'<meta name="grid-library" content="([^"]+)">', page)
    assert len(named) == 1
    assert browser.get(named[0]).status_code == 200
    assert re.findall(r'<script src="[^"]*dash_ag_grid', page) == []


def test_what_the_serializer_looks_at_is_imported_whole_before_a_thread_imports_it() -> None:
    script = "import sys, fraudstream.dashboards.app; print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == "True\n"


def test_the_small_bundle_has_the_version_that_dash_brings() -> None:
    own = Path(app_module.__file__).with_name("assets") / "plotly-basic.min.js"
    brought = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    versions = [re.search(r"plotly\.js [^\n]*?v([\d.]+)", file.read_text("utf-8")[:200]) for file in (own, brought)]
    assert all(versions)
    assert len({version[1] for version in versions if version}) == 1


def test_the_small_bundle_is_the_one_that_refetch_names(project_root: Path) -> None:
    script = (project_root / "dashboards" / "refetch.sh").read_text("utf-8")
    named = dict(re.findall(r"^(version|sha256)=(\S+)$", script, re.MULTILINE))
    own = Path(app_module.__file__).with_name("assets") / "plotly-basic.min.js"
    assert hashlib.sha256(own.read_bytes()).hexdigest() == named["sha256"]
    assert f"version {named['version']}" in (project_root / "NOTICE").read_text("utf-8")


def test_the_shell_links_to_mlflow(browser: Any, traffic: Any) -> None:
    assert "'http://127.0.0.1:5123'" in str(browser.get("/_dash-layout").get_json())
    settings = load_settings(mlflow_tracking_uri="https://ml:s3cret@mlflow.example.com")
    app = create_app(settings, Sources(settings, traffic.store, NoTail()))
    shown = str(app.server.test_client().get("/_dash-layout").get_json())
    assert "'https://mlflow.example.com'" in shown
    assert "s3cret" not in shown
    settings = load_settings(mlflow_tracking_uri="sqlite:///mlflow.db")
    app = create_app(settings, Sources(settings, traffic.store, NoTail()))
    assert "MLflow" not in str(app.server.test_client().get("/_dash-layout").get_json())


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "Live decisions"),
        ("/history", "History report"),
        ("/history/", "History report"),
        ("/explorer", "Explorer"),
        ("/system", "System"),
        ("/x", "No such page"),
    ],
)
def test_an_address_shows_its_page(browser: Any, path: str, expected: str) -> None:
    answer = ask_for_page(browser, path)
    assert answer.status_code == 200
    assert expected in answer.get_data(as_text=True)


def test_an_address_keeps_its_pages_state(browser: Any) -> None:
    assert '"value":"15m"' in ask_for_page(browser, "/", "?range=15m").get_data(as_text=True)
    assert "9000100" in ask_for_page(browser, "/explorer", "?id=9000100").get_data(as_text=True)


@pytest.mark.parametrize(("form", "read"), [("csv", pd.read_csv), ("parquet", pd.read_parquet)])
def test_the_report_and_its_rows_are_files(browser: Any, traffic: Any, form: str, read: Any) -> None:
    answer = browser.get(f"/export/report.{form}?origin=history")
    assert "fraudstream-report-" in answer.headers["Content-Disposition"]
    assert read(io.BytesIO(answer.data)).loc[0, "transactions"] == len(traffic.history)
    rows = read(io.BytesIO(browser.get(f"/export/rows.{form}?dimension=month&value=3&origin=history").data))
    assert len(rows) == min(200, len([row for row in traffic.history if row["month"] == 3]))
    assert set(rows["month"]) == {3}


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/export/report.xlsx", 404),
        ("/export/rows.csv?dimension=month&value=13", 400),
        ("/export/rows.csv?dimension=$where&value=1", 400),
    ],
)
def test_an_unknown_file_is_refused(browser: Any, address: str, status: int) -> None:
    assert browser.get(address).status_code == status


def test_a_lost_store_gives_no_file(browser: Any, traffic: Any) -> None:
    traffic.store.away = True
    answer = browser.get("/export/report.csv")
    assert answer.status_code == 503
    assert "does not answer" in answer.text


def test_it_does_not_start_open_to_strangers(traffic: Any) -> None:
    settings = load_settings(bind_host="10.0.0.5")
    with pytest.raises(ConfigurationError):
        create_app(settings, Sources(settings, traffic.store, NoTail()))


def test_health_is_answered_without_the_store(browser: Any, traffic: Any) -> None:
    traffic.store.away = True
    assert browser.get("/health").get_json() == {"status": "ok"}


def test_fifty_viewers_ask_the_store_no_more_than_one(sources: Sources, traffic: Any) -> None:
    for feed in (sources.live, sources.history, sources.rejected):
        feed.look(patience_seconds=10)
    finds = traffic.store.finds
    reads = [feed.reads for feed in (sources.live, sources.history, sources.rejected)]
    for _ in range(50):
        for feed in (sources.live, sources.history, sources.rejected):
            feed.look()
    again = [feed.reads for feed in (sources.live, sources.history, sources.rejected)]
    # A poller may have made a round meanwhile; nothing else may have read.
    rounds = sum(after - before for before, after in zip(reads, again, strict=True))
    assert rounds <= 6
    assert traffic.store.finds - finds <= 4 * rounds + 4
