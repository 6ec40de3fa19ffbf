"""A project with what payments lacks: text ids, nested, missing and unlisted values, odd names, twelve dimensions.

Run as a script, it asks the pages of that project for all that they have; ``FRAUDSTREAM_PROJECT`` names its folder.
"""

from __future__ import annotations

import importlib.util
import json
import random
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

NOW = datetime(2026, 5, 4, 12, 0, 30, tzinfo=UTC)
LONG_ID = "Ω" * 255
ODD_ID = "pay/ment#7 <script>alert(1)</script>?a=1&b=%2F+ü\"'"
_CODES = [f"mcc-{number}" for number in range(50)]

TOML = """
title = "Händler & <b>Söhne</b>"

[event]
id = "Transaction/ID"
time = "when"
time_format = "iso8601"
amount = "Betrag"
label = "fraud?"
entities = ["card.no", "merchant.name"]

[model]
inputs = ["Betrag", "balance.before", "chip?", "contactless", "Status", "status", "age", "merchant.code", "tries"]

[categories]
"merchant.code" = CODES

[dimensions]
fields = ["Status", "status", "contactless", "chip?", "merchant.code", "merchant.name", "channel", "age", "tries",
    "hops", "d/w", "balance.before"]
times = ["hour", "weekday", "month_of_year"]
amount_edges = [-50, 0, 25, 100, 400]

[dimensions.edges]
age = [18, 30, 45, 65]
"balance.before" = [0, 0.5, 1e3, 1e6]

[display]
currency = "EUR"
labels = { "merchant.code" = "Branch", "d/w" = "Weekday in shop" }
units = { age = "years" }
decimals = { Betrag = 2 }
"""

TEXT = {"type": "string", "maxLength": 255}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "Transaction/ID": TEXT | {"minLength": 1},
        "when": {"type": "string"},
        "Betrag": {"type": "number"},
        "fraud?": {"type": ["boolean", "null"]},
        "card.no": TEXT,
        "merchant": {
            "type": "object",
            "properties": {"name": TEXT, "code": TEXT, "tags": {"type": "array", "items": TEXT}},
        },
        "chip?": {"type": ["boolean", "null"]},
        "contactless": {"type": "boolean"},
        "Status": {"type": "string", "enum": ["A", "B, with comma", "<script>"]},
        "status": {"type": ["string", "null"], "enum": ["a_snake", "CASH_OUT", None]},
        "channel": {"type": "string", "enum": ["web", "shop"]},
        "age": {"type": "integer", "minimum": 0, "maximum": 120},
        "tries": {"type": "integer", "minimum": 0, "maximum": 5},
        "hops": {"type": "integer"},
        "d/w": {"type": "string", "enum": ["mon", "tue", "wed"]},
        "balance.before": {"type": ["number", "null"]},
    },
    "required": ["Transaction/ID", "when", "Betrag", "contactless", "Status", "channel", "age", "tries", "hops", "d/w"],
}


def write(folder: Path) -> Path:
    """The project's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "fraudstream.toml").write_text(TOML.replace("CODES", json.dumps(_CODES)), "utf-8")
    (folder / "event.schema.json").write_text(json.dumps(SCHEMA), "utf-8")
    return folder


def transactions(number: int, end: datetime, span: timedelta, seed: int) -> list[dict[str, Any]]:
    """Scored transactions up to ``end``, oldest first, some with numbers of many digits, some without values."""
    from bson import Decimal128

    rng = random.Random(seed)
    events = []
    for index in range(number):
        fraud = rng.random() < 0.1
        amount: Any = round(rng.gauss(200 if fraud else 60, 40), 2)
        event: dict[str, Any] = {
            "Transaction/ID": {0: ODD_ID, 1: LONG_ID, 2: " blank "}.get(index, f"{rng.getrandbits(128):032x}")
            if seed == 1
            else f"h-{index}",
            "Betrag": Decimal128("12.50000000000000000001") if index % 50 == 0 else amount,
            "card.no": f"4{rng.randrange(10**15):015d}",
            "merchant": {
                "name": f"fraud_Kirlin, {rng.choice('ABCDEFGHIJKLMNOPQRSTUVWXYZ')} and Sons",
                "code": f"mcc-{min(int(rng.expovariate(0.15)), 60)}",
                "tags": ["a", {"b": None}],
            },
            "contactless": rng.random() < 0.6,
            "Status": rng.choices(["A", "B, with comma", "<script>"], [6, 3, 1])[0],
            "channel": rng.choice(["web", "shop"]),
            "age": rng.randrange(16, 90),
            "tries": rng.choices(range(6), [40, 20, 10, 5, 2, 1])[0],
            "hops": int(rng.expovariate(0.3)) - 2,
            "d/w": rng.choice(["mon", "tue", "wed"]),
        }
        if index % 3:
            event |= {"chip?": rng.random() < 0.5, "balance.before": rng.expovariate(1e-3), "status": "CASH_OUT"}
        if index % 7 == 0:
            event |= {"chip?": None, "balance.before": None, "status": None}
            del event["merchant"]
        at = end - span * (1 - index / number)
        events.append(
            event
            | {
                "event_time": (end - timedelta(days=rng.random() * 300)).replace(microsecond=0),
                "enqueued_at": at,
                "prediction": int(fraud),
                "score": 0.9 if fraud else 0.05,
                "threshold": 0.5,
                "model_version": "3",
                "latency_ms": rng.lognormvariate(2, 0.5),
                "reasons": [
                    {"field": name, "contribution": 1.5}
                    for name in rng.sample(["Betrag", "chip?", "merchant.code", "age", "balance.before", "Status"], 3)
                ]
                if fraud
                else [],
                "source": {"topic": "transactions", "partition": index % 2, "offset": index // 2},
            }
        )
    return events


def made_traffic(live: int = 1_500, history: int = 1_000) -> Any:
    """The store and the window that the pages read."""
    conftest = _conftest()
    newest = transactions(live, NOW, timedelta(minutes=58), seed=1)
    labelled = transactions(history, NOW - timedelta(days=1), timedelta(days=200), seed=2)
    return conftest.stored_traffic(NOW, newest, labelled)


def _conftest() -> Any:
    spec = importlib.util.spec_from_file_location("memory_store", Path(__file__).with_name("conftest.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _asked(browser: Any) -> dict[str, Any]:
    """What the pages answer: each callback's response by its name here, each file's bytes by its address."""
    from tests.pages import ask_callback, ask_for_page

    answers: dict[str, Any] = {}
    for path in ("/", "/history", "/explorer", "/system"):
        search = "?Status=B%252C%20with%20comma&rows=Status,B%252C%20with%20comma" if len(path) < 9 else ""
        answers[path] = ask_for_page(browser, path, search).text
    for name, output, values in (
        ("live", "live-minutes-figure.figure", {"live-range": "1h"}),
        ("totals", "live-minutes-figure.figure", {"live-range": "all"}),
        ("report", "history-trend-figure.figure", {"history-origin": "all"}),
        ("odd id", "explorer-transaction.children", {"explorer-id": ODD_ID}),
        ("long id", "explorer-transaction.children", {"explorer-id": LONG_ID}),
        ("blank id", "explorer-transaction.children", {"explorer-id": " blank "}),
        *((f"{field}={value}", "explorer-rows.rowData", {"explorer-field": field, "explorer-value": value})
          for field, value in SEARCHES),
        *((f"{dimension}:{value}", "history-rows.rowData", {"history-drill": [dimension, value]})
          for dimension, value in DRILLS),
    ):  # fmt: skip
        answers[name] = ask_callback(browser, output, values).get_json()["response"]
    for address in ("report.csv", "report.parquet", "rows.csv?dimension=all&value=all", "rows.parquet?value=all"):
        answers[address] = browser.get(f"/export/{address}").data
    return answers


SEARCHES = (
    ("merchant.code", "mcc-3"),
    ("card.no", "x"),
    ("contactless", "true"),
    ("age", "20..30"),
    ("balance.before", "..100"),
    ("Betrag", "12.50000000000000000001"),
)
DRILLS = (
    ("merchant.code", "mcc-60"),
    ("contactless", "false"),
    ("age", "18-30"),
    ("hops", "-2"),
    ("balance.before", "0.5-1000.0"),
    ("weekday", "7"),
    ("month_of_year", "3"),
    ("amount_bin", "-50-0"),
)


def main() -> None:
    """Ask the pages, and check each answer against an independent count."""
    from fraudstream.core.configuration.settings import load_settings
    from fraudstream.core.contract.field_rules import as_double
    from fraudstream.dashboards.app import create_app
    from fraudstream.dashboards.data.sources import Sources

    traffic = made_traffic(600, 400)
    rows = [*traffic.live, *traffic.history]
    settings = load_settings(mlflow_tracking_uri="", scoring="embedded")
    with Sources(settings, traffic.store, traffic.tail, now=lambda: NOW) as sources:
        assert sources.history.look(30).snapshot
        answers = _asked(create_app(settings, sources).server.test_client())

    def shown(answer: str, panel: str) -> dict[tuple[str, Any], int]:
        data = answers[answer][f"{panel}-figure"]["figure"]["data"]
        counted: dict[tuple[str, Any], int] = {}
        for trace in data:
            if trace["type"] == "bar":
                lengths = trace["x"] if trace.get("orientation") == "h" else trace["y"]
                for (dimension, value), length in zip(trace["customdata"], lengths, strict=True):
                    counted[dimension, value] = counted.get((dimension, value), 0) + length
        return counted

    def count(of: list[dict[str, Any]], keeps: Any) -> int:
        return sum(bool(keeps(row)) for row in of)

    def code(row: dict[str, Any]) -> Any:
        return row.get("merchant", {}).get("code")

    for answer, of, page in (
        ("live", traffic.live, "live"),
        ("totals", traffic.live, "live"),
        ("report", rows, "history"),
    ):
        codes = shown(answer, f"{page}-by-dimension-5")
        assert len(codes) == 14
        assert codes["merchant.code", "mcc-0"] == count(of, lambda row: code(row) == "mcc-0")
        assert sum(codes.values()) == count(of, code)
        chips = shown(answer, f"{page}-by-dimension-4")
        assert chips["chip?", "true"] == count(of, lambda row: row.get("chip?"))
        ages = shown(answer, f"{page}-by-age")
        assert ages["age", "18-30"] == count(of, lambda row: row["age"] < 30)
        assert sum(shown(answer, f"{page}-by-hops").values()) == len(of)
        bins = shown(answer, f"{page}-by-amount_bin")
        assert bins["amount_bin", "-50-0"] == count(of, lambda row: as_double(row["Betrag"]) < 0)
    for day in range(1, 8):
        wanted = count(rows, lambda row, day=day: row["event_time"].isoweekday() == day)
        assert shown("report", "history-by-weekday")["weekday", str(day)] == wanted

    for name in ("odd id", "long id", "blank id"):
        assert "Way through the parts" in json.dumps(answers[name]), name
    assert "12.50000000000000000001" in json.dumps(answers["odd id"], ensure_ascii=False)

    def rows_of(name: str) -> list[dict[str, Any]]:
        return answers[name]["explorer-rows" if "=" in name else "history-rows"]["rowData"]

    balance = [row.get("balance.before") for row in rows]
    assert len(rows_of("merchant.code=mcc-3")) == count(rows, lambda row: code(row) == "mcc-3")
    assert rows_of("card.no=x") == []
    assert len(rows_of("contactless=true")) == len(rows_of("contactless:false")) == 200
    assert len(rows_of("age=20..30")) == count(rows, lambda row: 20 <= row["age"] <= 30)
    assert len(rows_of("balance.before=..100")) == sum(value is not None and value <= 100 for value in balance)
    assert len(rows_of("Betrag=12.50000000000000000001")) == count(
        rows, lambda row: not isinstance(row["Betrag"], float)
    )
    assert len(rows_of("merchant.code:mcc-60")) == min(count(rows, lambda row: code(row) == "mcc-60"), 200)
    assert len(rows_of("hops:-2")) == 200 or len(rows_of("hops:-2")) == count(rows, lambda row: row["hops"] == -2)
    assert len(rows_of("amount_bin:-50-0")) == count(rows, lambda row: as_double(row["Betrag"]) < 0)
    assert len(rows_of("month_of_year:3")) == count(rows, lambda row: row["event_time"].month == 3)

    import io

    import pyarrow.csv
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(io.BytesIO(answers["rows.parquet?value=all"]))
    assert {"Transaction/ID", "Betrag", "Status", "status_2", "card.no", "merchant"} <= set(table.column_names)
    assert table.num_rows == pyarrow.csv.read_csv(io.BytesIO(answers["rows.csv?dimension=all&value=all"])).num_rows
    report = pyarrow.parquet.read_table(io.BytesIO(answers["report.parquet"])).to_pylist()
    assert sum(row["transactions"] for row in report if row["dimension"] == "merchant.name") == count(rows, code)
    sys.stdout.write("all answered\n")


if __name__ == "__main__":
    main()
