"""Requests as no browser makes them: pages and files answer, and never with an error of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from babel import localedata

from fraudstream.core.configuration.settings import load_settings
from fraudstream.dashboards.app import create_app
from fraudstream.dashboards.data import searches as explorer_queries
from fraudstream.dashboards.data.parts.model import model_address, version_address
from fraudstream.dashboards.data.sources import Sources
from fraudstream.dashboards.pages.history import view as history_view
from fraudstream.dashboards.pages.live import page as live
from fraudstream.dashboards.ui import words
from fraudstream.dashboards.ui.formats import formats, preferred
from tests.pages import ask_callback, ask_for_page
from tests.unit.dashboards.data.test_nasty_documents import check_shown

VALUES = (
    "",
    "%",
    "%zz%ff%00",
    "x" * 100_000,
    ",".join(["2026-01"] * 5_000),
    "9999-12,9999-12",
    "0001-01,0001-01",
    "2026-13,2026-01",
    "-1",
    "-9223372036854775809",
    "1" * 5_000,
    "١٢٣",
    "NaN",
    "Infinity",
    "1e400",
    "%ed%a0%80",
    "\u202e",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "$where",
    "[]",
    "null",
)
NAMES = ("range", "paused", "table", "minute", "month", "origin", "period", "compare", "rows", "tab", "id", "field")
ODD: tuple[Any, ...] = (
    None,
    5,
    -1.5,
    True,
    "",
    "x",
    [],
    [None],
    ["x", "y"],
    [[1]],
    {},
    {"a": 1},
    "1" * 5_000,
    "\ud800",
)


@pytest.fixture
def browser(traffic: Any) -> Iterator[Any]:
    settings = load_settings(mlflow_tracking_uri="http://127.0.0.1:5123", scoring="embedded")
    with Sources(settings, traffic.store, traffic.tail, now=lambda: traffic.now) as sources:
        yield create_app(settings, sources).server.test_client()


@pytest.mark.parametrize("path", ["/", "/history", "/explorer"])
def test_any_query_shows_its_page(browser: Any, path: str) -> None:
    for odd in VALUES:
        search = "?" + "&".join(f"{name}={odd}" for name in (*NAMES, "value", "where", "event", odd[:50]))
        answer = ask_for_page(browser, path, search)
        assert answer.status_code == 200, odd[:50]
        json.loads(answer.text)
    for odd in (None, "?" * 10_000, "?a=1" + "&b" * 50_000):
        assert ask_for_page(browser, path, odd).status_code == 200  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "file", ["report.csv", "report.parquet", "rows.csv", "rows.parquet", "rows.<b>", "rows.csv/.."]
)
def test_a_file_is_given_or_refused(browser: Any, file: str) -> None:
    for odd in VALUES:
        for name in ("origin", "period", "dimension", "value"):
            answer = browser.get(f"/export/{file}?{name}={odd}")
            assert answer.status_code in (200, 400, 404), (name, odd[:50])
            assert len(answer.data) < 1_000_000
            assert "\n" not in answer.headers.get("Content-Disposition", "")


def test_a_period_at_the_end_of_all_dates_is_none() -> None:
    assert history_view.period(["9999-12", "9999-12"]) is None
    assert history_view.period(["0001-01", "0001-02"]) is None
    assert history_view.period("2026-01") is None
    assert history_view.period(5) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("output", "components", "changed"),
    [
        (
            "live-minutes-figure.figure",
            ("live-filter-month", "live-minute", "live-range", "live-paused", "live-decisions-choice", "color-scheme"),
            "live-range.value",
        ),
        (
            "history-by-month-figure.figure",
            ("history-origin", "history-period", "history-other", "color-scheme"),
            "history-origin.value",
        ),
        ("history-rows.rowData", ("history-drill", "history-origin", "history-period"), "history-drill.data"),
        ("explorer-transaction.children", ("explorer-id",), "explorer-id.value"),
        ("explorer-rows.rowData", ("explorer-field", "explorer-value", "explorer-where"), "explorer-find.n_clicks"),
        ("explorer-event-body.children", ("explorer-rejected-id",), "explorer-rejected-id.data"),
        ("explorer-correction.error", ("explorer-correction",), "explorer-correction.value"),
    ],
)
def test_any_value_of_a_control_is_answered(
    browser: Any, output: str, components: tuple[str, ...], changed: str
) -> None:
    for odd in ODD:
        answer = ask_callback(browser, output, dict.fromkeys(components, odd), changed)
        assert answer.status_code in (200, 204), odd
        if answer.status_code == 200:
            check_shown(answer.text)
        for component in components:
            assert ask_callback(browser, output, {component: odd}, changed).status_code in (200, 204), (component, odd)


@pytest.mark.parametrize("method", ["head", "post", "put", "delete", "options", "patch"])
def test_methods_that_there_are_not(browser: Any, method: str) -> None:
    for path in ("/", "/health", "/export/report.csv", "/export/rows.csv?value=x", "/../../etc/passwd", "/assets/../x"):
        assert getattr(browser, method)(path).status_code < 500


def test_odd_headers_are_read_as_none(browser: Any) -> None:
    odd = ("", "*", "x", "en;q=1", "zh-Hans-CN-x-private", "a" * 9_000, "\xff\xfe", "de--", "_", "en_US.UTF-8", ",,,;;")
    for text in odd:
        headers = {
            "Accept-Language": text,
            "X-Forwarded-For": text,
            "X-Forwarded-Proto": text,
            "X-Forwarded-Host": text,
            "Range": "bytes=-1",
        }
        browser.set_cookie("fraudstream-color-scheme", text[:100])
        assert browser.get("/export/report.csv", headers=headers).status_code == 200
        assert browser.get("/", headers=headers).status_code == 200
        assert ask_callback(browser, "live-minutes-figure.figure", {}, "live-range.value").status_code == 200
        preferred(text)


def test_every_locale_that_babel_knows_writes_numbers_and_moments(traffic: Any) -> None:
    for name in localedata.locale_identifiers():
        forms = formats(name.replace("_", "-"))
        for number in (0, -1.5, 1e300, float("inf"), float("nan")):
            shown = [forms.decimals(number, 2), forms.percent(number), forms.points(number), forms.milliseconds(number)]
            assert all(shown)
            assert not any(word in text.lower() for text in shown for word in ("inf", "nan"))
        assert forms.clock(traffic.now)
        assert forms.minute(traffic.now)
        assert forms.moment(traffic.now)


@pytest.mark.parametrize("value", ["9223372036854775808", "-9223372036854775809", "1" * 5_000, "1.5", "\ud800"])
def test_a_search_for_no_number_is_refused_by_the_field(value: str) -> None:
    with pytest.raises(ValueError, match="month takes a whole number of 64 bits"):
        explorer_queries.criteria([("month", value)])


@pytest.mark.parametrize("value", ["nan", "inf", "1e400", "much"])
def test_a_search_for_no_finite_number_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="amount takes a finite number"):
        explorer_queries.criteria([("amount", value)])


def test_a_selection_of_odd_values_is_the_default() -> None:
    for odd in ODD:
        chosen = live.selection_from({"month": odd, "day_of_week": odd}, odd, odd, odd, odd)
        assert chosen.range == "1h"
        assert not chosen.filtered


@pytest.mark.parametrize("value", ["²", "①", "13", "0", "-1", "1.0", "9" * 5_000, "", "x"])
def test_a_month_that_is_none_is_shown_as_it_is(value: str) -> None:
    assert words.label("month", value) == value
    assert words.long_label("month", value) == f"month {value}"
    assert words.label("month", "3") == words.label("month", "03") == "Mar"
    assert words.long_label("month", "12") == "December"


@pytest.mark.parametrize("name", ["a b", "é", "50%", "100%25", "O'Neil", "a#b?c", "..", "<b>", '"', "javascript:x"])
def test_a_models_name_is_one_part_of_its_address(name: str) -> None:
    address = version_address(model_address("http://mlflow", name), "3/../4")
    assert address.startswith("http://mlflow/#/models/")
    assert address.count("/") == 7
    assert address.endswith("/versions/3%2F..%2F4")
    assert not set(address.removeprefix("http://mlflow/#/")) & set(" <>\"'#?é")
    assert model_address("", name) == version_address("", "3") == ""
