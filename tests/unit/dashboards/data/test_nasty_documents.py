"""Whatever a store holds, pages and files are made of it: valid, finite, and text where somebody else wrote it."""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import bson
import orjson
import pyarrow.parquet
import pytest
from bson.raw_bson import RawBSONDocument

from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.contract.rollups import ALL, rollup_id
from fraudstream.core.documents.client import REJECTED, ROLLUPS, TRANSACTIONS
from fraudstream.dashboards.app import create_app
from fraudstream.dashboards.data import stored
from fraudstream.dashboards.data.queries import Reader, decision_from
from fraudstream.dashboards.data.sources import Sources
from fraudstream.dashboards.data.tail import decision_of
from fraudstream.dashboards.data.window import Window
from fraudstream.dashboards.pages.explorer import rejected as explorer_rejected
from fraudstream.dashboards.pages.explorer import view as explorer_view
from fraudstream.dashboards.pages.history import page as history
from fraudstream.dashboards.pages.history.exports import encoded
from fraudstream.dashboards.ui.formats import formats
from tests import nasty_documents as nasty
from tests.pages import ask_callback, ask_for_page

pytestmark = pytest.mark.timeless

ENGLISH = formats("en-GB")
NUMBER = 5_000
NOW = datetime(2026, 5, 4, 12, 0, 30, tzinfo=UTC)
MODEL = "http://mlflow/#/models/fraud"


@pytest.fixture(scope="module")
def good(made_traffic: Any) -> list[dict[str, Any]]:
    transactions = list(made_traffic.store[TRANSACTIONS].documents.values())
    return [*transactions[:100], *transactions[-100:]]


@pytest.fixture(scope="module")
def corpus(good: list[dict[str, Any]]) -> list[RawBSONDocument]:
    return list(nasty.documents(good, NUMBER, seed=13))


def refuse(word: str) -> Any:
    raise AssertionError(f"{word} is no JSON")


def valid(text: str) -> Any:
    """JSON as a browser reads it: without NaN and Infinity, and of characters."""
    text.encode()
    return json.loads(text, parse_constant=refuse)


def every_part(content: Any) -> tuple[list[str], list[dict[str, Any]]]:
    """All texts and all objects of what JSON gave; without recursion, which takes longer than all that is checked."""
    texts: list[str] = []
    objects: list[dict[str, Any]] = []
    waiting = [content]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            texts.append(part)
        elif isinstance(part, dict):
            objects.append(part)
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    return texts, objects


def as_json(content: Any) -> str:
    """What a callback returns as Dash writes it, in a tenth of its time."""
    return orjson.dumps(content, default=lambda part: part.to_plotly_json()).decode()


OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def check_shown(content: Any) -> None:
    """What a page gets: valid, of bounded size, no address but ours, nothing that a browser or a reader obeys."""
    text = content if isinstance(content, str) else as_json(content)
    assert len(text) < 1_500_000
    texts, objects = every_part(valid(text))
    # A line feed is none of these, so that one search serves all.
    assert not OBEYED.search("\n".join(texts)), [ascii(each[:200]) for each in texts if OBEYED.search(each)]
    assert not {"inf", "nan", "Infinity", "NaN", "-inf"}.intersection(texts)
    for each in objects:
        assert "dangerously_allow_html" not in each
        if isinstance(each.get("href"), str):
            assert re.match(r"(/|http://|https://|#|$)", each["href"])
            assert not re.search(r"[<>\"'\s]", each["href"])


def test_every_document_is_read_as_it_is(good: list[dict[str, Any]]) -> None:
    for document in good:
        assert stored.read(RawBSONDocument(bson.encode(document))) == bson.decode(
            bson.encode(document), bson.CodecOptions(tz_aware=True)
        )


@pytest.mark.parametrize("in_lists", [True, False])
@pytest.mark.parametrize("depth", [1_500, 50_000])
def test_a_field_that_is_nested_too_deeply_is_told_and_the_others_are_there(
    good: list[dict[str, Any]], depth: int, in_lists: bool
) -> None:
    every = {str(number): each for number, each in enumerate((*nasty.OTHERS, *nasty.NUMBERS)) if each == each}
    document = {**good[0], **every}
    deep = nasty.with_elements(document, nasty.deep_bytes(depth, in_lists=in_lists), *nasty.BROKEN)
    values = stored.read(deep)
    assert values["deep"] == stored.TOO_DEEP
    assert values["bad"] == "\ufffd\ufffd"
    assert values["amount"] == good[0]["amount"]
    assert len(values) == len(document) + 3
    assert values["6"] == stored.read(nasty.with_elements({"6": every["6"]}))["6"]


def test_each_document_is_shown_on_the_pages(corpus: list[RawBSONDocument]) -> None:
    shown = 0
    for raw in corpus:
        values = stored.read(raw)
        check_shown(explorer_view.transaction(values, ENGLISH, MODEL))
        row = history.row(values, ENGLISH)
        check_shown(row)
        assert len(as_json(row)) < 5_000
        decision = decision_from(values)
        if decision is not None:
            Window().add([decision])
            shown += 1
    assert NUMBER // 20 < shown < NUMBER


def test_each_rejected_event_is_shown(traffic: Any, corpus: list[RawBSONDocument]) -> None:
    rng = random.Random(3)
    event = dict(next(iter(traffic.store[REJECTED].documents.values())))
    for raw in corpus:
        spoilt = dict(event)
        for name in rng.sample(list(spoilt), rng.choice((1, 2, len(spoilt)))):
            spoilt[name] = nasty.value(rng)
        if rng.random() < 0.5:
            spoilt |= {"raw": bytes(raw.raw)[:70_000], "raw_bytes": rng.choice(nasty.NUMBERS)}
        check_shown(explorer_rejected.detail(spoilt, ENGLISH))
        explorer_rejected.editable(spoilt).encode()


def spoilt_records(good: list[dict[str, Any]]) -> Iterator[bytes]:
    rng = random.Random(8)
    for number in range(NUMBER):
        record = {name: part for name, part in rng.choice(good).items() if name != "_id"} | {"id": number}
        record |= {"reasons": [], "source": dict(record.get("source") or {}, enqueued_at=NOW.isoformat())}
        for name in rng.sample(list(record), rng.choice((0, 1, 1, 2, 5))):
            record[name] = nasty.value(rng)
        yield orjson.dumps(stored.plain(record, depth=100))


def test_each_record_of_the_topic_is_a_decision_or_none(good: list[dict[str, Any]]) -> None:
    window = Window()
    decisions = [decision for record in spoilt_records(good) if (decision := decision_of(record, 1_777_896_000_000))]
    window.add(decisions)
    window.complete_since(NOW - timedelta(hours=1))
    view = window.view()
    counted = view.slice(NOW - timedelta(hours=1))
    assert NUMBER // 20 < counted.total.transactions <= len(decisions) < NUMBER
    assert decision_of(b"\xff", 0) is decision_of(b"[1]", 0) is decision_of(b"", 0) is None


FORMULA = re.compile(r"^[\s\"']*[=+\-@\uff1d\uff0b\uff0d\uff20]")
PLAIN_NUMBER = re.compile(r"^-?\d+(\.\d+)?(e[+-]?\d+)?$", re.IGNORECASE)


def check_csv(content: bytes, number: int) -> None:
    text = content.decode("utf-8-sig")
    assert content.startswith(b"\xef\xbb\xbf") == (not text.isascii())
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(rows) == number + 1
    assert len(text.splitlines()) == number + 1
    assert len({name.casefold() for name in rows[0]}) == len(rows[0])
    for row in rows:
        for cell in row:
            assert len(cell) <= 32_767
            assert not OBEYED.search(cell)
            assert cell.lower() not in ("inf", "-inf", "nan")
            for part in re.split("[;|]", cell):
                begin = part.lstrip()
                harmless = "'" in begin[:3] or PLAIN_NUMBER.match(begin.strip("\"' ]}"))
                assert harmless or not FORMULA.match(part), ascii(cell[:100])


def test_each_document_is_exported(corpus: list[RawBSONDocument]) -> None:
    for begin in range(0, NUMBER, 200):
        rows = [stored.read(raw) for raw in corpus[begin : begin + 200]]
        check_csv(encoded(rows, "csv"), len(rows))
        table = pyarrow.parquet.read_table(io.BytesIO(encoded(rows, "parquet")))
        assert table.num_rows == len(rows)
        names = [name.casefold() for name in table.column_names]
        assert len(set(names)) == len(names) <= 1_000
        assert all(name.strip() for name in names)


class NastyStore:
    """A store whose every collection holds the corpus; documents come as bytes, whatever is asked."""

    def __init__(self, corpus: list[RawBSONDocument], seed: int) -> None:
        self._corpus = corpus
        self._rng = random.Random(seed)

    def __getitem__(self, name: str, /) -> Any:
        return _Collection(name, self._rng.sample(self._corpus, 150), self._rng)


class _Collection:
    def __init__(self, name: str, corpus: list[RawBSONDocument], rng: random.Random) -> None:
        self._name, self._corpus, self._rng = name, corpus, rng

    def find(self, filter: Mapping[str, Any], _projection: Any = None, /) -> Any:
        if self._name == ROLLUPS:
            return _Found(self._rollup(number) for number in filter["_id"]["$in"])
        return _Found(self._corpus)

    def _rollup(self, number: str) -> RawBSONDocument:
        rollup = {"_id": number, "transactions": 10, "frauds": 3, "amount": 12.5, "fraud_amount": 1.0}
        if self._rng.random() < 0.5:
            rollup[self._rng.choice(list(rollup)[1:])] = nasty.value(self._rng)
        if self._rng.random() < 0.1:
            rollup = {"_id": number}
        return nasty.with_elements(rollup)


class _Found(list[RawBSONDocument]):
    def sort(self, *_: Any) -> _Found:  # type: ignore[override]
        return self

    def limit(self, number: int) -> _Found:
        return _Found(self[:number])


@pytest.fixture
def browser(corpus: list[RawBSONDocument], traffic: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    settings = load_settings(mlflow_tracking_uri="http://127.0.0.1:5123", scoring="embedded")
    store: Any = NastyStore(corpus, seed=request.param)
    with Sources(settings, store, traffic.tail, now=lambda: NOW) as sources:
        yield create_app(settings, sources).server.test_client()


@pytest.mark.parametrize("browser", range(3), indirect=True)
def test_every_page_callback_and_file_is_answered(browser: Any) -> None:
    for path in ("/", "/history", "/explorer", "/explorer?tab=rejected&event=transactions/0/1", "/system"):
        name, _, search = path.partition("?")
        answer = ask_for_page(browser, name, search)
        assert answer.status_code == 200
        check_shown(answer.text)
    for output, values, changed in (
        ("live-minutes-figure.figure", {"live-range": "all"}, "live-range.value"),
        ("live-minutes-figure.figure", {"live-range": "1h"}, "live-range.value"),
        ("history-by-month-figure.figure", {"history-origin": "all"}, "history-origin.value"),
        ("system-rates-figure.figure", {}, "system-tick.n_intervals"),
        ("explorer-transaction.children", {"explorer-id": "7"}, "explorer-id.value"),
        (
            "explorer-rows.rowData",
            {"explorer-field": "amount", "explorer-value": "12", "explorer-where": "all"},
            "explorer-find.n_clicks",
        ),
        ("explorer-rejections.rowData", {"explorer-tab": "rejected"}, "explorer-tab.value"),
        ("explorer-event-body.children", {"explorer-rejected-id": "transactions/0/1"}, "explorer-rejected-id.data"),
        ("history-rows.rowData", {"history-drill": ["hour", "12"]}, "history-drill.data"),
    ):
        answer = ask_callback(browser, output, values, changed)
        assert answer.status_code == 200, output
        assert "cannot be shown" not in answer.text
        assert "cannot be read" not in answer.text
        check_shown(answer.text)
    for file in (
        "report.csv?origin=live",
        "report.parquet",
        "rows.csv?dimension=all&value=all",
        "rows.parquet?value=all",
    ):
        answer = browser.get(f"/export/{file}")
        assert answer.status_code == 200, answer.text
        if ".csv" in file:
            check_csv(answer.data, answer.data.count(b"\n") - 1)


def test_sums_beyond_a_double_are_told_as_such(traffic: Any) -> None:
    for origin in ("live", "history"):
        rollups = traffic.store[ROLLUPS].documents
        key = rollup_id("total", None, origin, ALL, ALL)
        rollups[key] = dict(rollups[key], amount=float("inf"), fraud_amount=float("inf"))
    settings = load_settings(mlflow_tracking_uri="http://127.0.0.1:5123", scoring="embedded")
    with Sources(settings, traffic.store, traffic.tail, now=lambda: NOW) as sources:
        browser = create_app(settings, sources).server.test_client()
        for feed in (sources.live, sources.history):
            assert feed.look(patience_seconds=10).snapshot
        live = ask_callback(browser, "live-minutes-figure.figure", {"live-range": "all"}, "live-range.value")
        report = ask_callback(
            browser, "history-by-month-figure.figure", {"history-origin": "all"}, "history-origin.value"
        )
        for answer in (live, report):
            check_shown(answer.text)
        cards = live.get_json()["response"] | report.get_json()["response"]
        for card in ("live-risk", "history-amount", "history-fraud-amount"):
            assert cards[card]["children"] == "–"
            assert cards[f"{card}-unit"]["children"] == "beyond what can be summed"
        text = browser.get("/export/report.csv?origin=live").text
        assert text.splitlines()[1].endswith(",,")
        assert not re.search(r"\b(inf|nan)\b", text)


def test_the_reader_leaves_out_what_is_no_count(corpus: list[RawBSONDocument]) -> None:
    store: Any = NastyStore(corpus, seed=1)
    reader = Reader(store)
    for _ in range(3):
        seen = reader.live(NOW, ring=True)
        assert 0 <= seen.total.frauds <= seen.total.transactions
        assert seen.recent
        reader.history(NOW)
