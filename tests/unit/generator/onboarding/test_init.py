"""What ``fraudstream init`` guesses from a file's oddities, refuses, and writes."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from fraudstream.asaql.compiling import findings_of, plan_of
from fraudstream.asaql.project_files.folder import read_project as read_query_project
from fraudstream.asaql.template import query_text
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.project import read_project
from fraudstream.generator.files.source import FileSource
from fraudstream.generator.onboarding import sampling
from fraudstream.generator.onboarding.cli import init
from fraudstream.generator.onboarding.leaks import average_precision
from fraudstream.generator.onboarding.plan import nice_edges
from fraudstream.generator.onboarding.profile import words

ROWS = 200


def run(folder: Path, file: Path | None, *options: str) -> dict[str, Any]:
    """The report of one ``init``. Raises what it fails with."""
    app = typer.Typer()
    app.command()(init)
    source = [] if file is None else ["--from", str(file)]
    done = CliRunner().invoke(app, [str(folder), *source, *options, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def surprises(folder: Path) -> list[Any]:
    """What the linter finds in a project's query."""
    query = read_query_project(folder)
    assert query.notes == ()
    return findings_of(query, plan_of(query))


def table(folder: Path, columns: dict[str, Callable[[int], object]], rows: int = ROWS, name: str = "rows.csv") -> Path:
    file = folder / name
    lines = [",".join(columns), *(",".join(str(cell(row)) for cell in columns.values()) for row in range(rows))]
    file.write_text("\n".join(lines))
    return file


def fraud(row: int) -> int:
    return int(row % 10 == 3)


PLAIN: dict[str, Callable[[int], object]] = {
    "tx_id": lambda row: f"t{row}",
    "made_at": lambda row: f"2026-01-{1 + row // 24:02d} {row % 24:02d}:00:00",
    "amount": lambda row: round(5 + row * 1.37 % 90, 2),
    "is_fraud": fraud,
}


def test_columns_have_the_types_that_all_their_values_allow(tmp_path: Path) -> None:
    oddities: dict[str, Callable[[int], object]] = {
        "zip": lambda row: "00501" if row == 150 else 10_000 + row % 50,
        "visits": lambda row: "" if row % 7 == 0 else f"{row % 5}.0",
        "mixed": lambda row: "unknown" if row == 120 else row,
        "present": lambda row: "TF"[row % 2],
        "excel": lambda row: f"4.{row:03d}E+15",
        "price": lambda row: f"${row}.50",
        "empty": lambda row: ["", "NaN", "NULL", "N/A"][row % 4],
        "letter": lambda row: "ABC"[row % 3],
        "long_number": lambda row: 10**25 + row,
        "mail": lambda row: f"a{row}@example.org",
        "phone": lambda row: 4_930_000_000 + row % 7,
    }
    report = run(tmp_path / "own", table(tmp_path, PLAIN | oddities))
    types = {name: report["types"][name] for name in oddities}
    assert types == {
        **{"zip": "string", "visits": "integer", "mixed": "string", "present": "boolean", "excel": "number"},
        **{"price": "number", "empty": "empty", "letter": "string", "long_number": "string", "mail": "string"},
        "phone": "integer",
    }
    own = read_project(tmp_path / "own")
    # A number that only names something is no measure.
    assert report["left_out"]["phone"] == "long numbers, as names of something"
    assert set(own.definition.model.inputs) == {"amount", "visits", "present", "excel", "price", "zip", "letter"} - {
        "zip"
    }
    assert own.definition.categories == {"letter": ("A", "B", "C")}
    schema = json.loads((own.folder / "event.schema.json").read_text())["properties"]
    # What is empty now may come later; a new letter is no fault; a number's bounds are not the sample's.
    assert (schema["empty"]["type"], schema["letter"], schema["mail"]["format"]) == (
        ["string", "null"],
        {"type": "string"},
        "email",
    )
    assert (schema["amount"], schema["visits"]) == ({"type": "number", "minimum": 0}, {"type": "integer"})
    assert report["read_back"] == {"rows": ROWS, "accepted": ROWS, "refusal": ""}


def test_what_tells_the_label_alone_is_kept_from_the_model(tmp_path: Path) -> None:
    leaks: dict[str, Callable[[int], object]] = {
        "scenario": lambda row: 1 + row % 3 if fraud(row) else 0,
        "reviewed": lambda row: "held" if fraud(row) else "passed",
        "risk_points": lambda row: 0.9 if fraud(row) else 0.1 + row / 1000,
    }
    hints: dict[str, Callable[[int], object]] = {"kind": lambda row: "web" if fraud(row) or row % 3 == 0 else "shop"}
    report = run(tmp_path / "own", table(tmp_path, PLAIN | leaks | hints))
    assert set(report["leaks"]) == set(leaks)
    assert set(report["inputs"]) == {"amount", "kind"}
    assert "LEAK" in (tmp_path / "own" / "fraudstream.toml").read_text()


def test_options_decide_over_guesses(tmp_path: Path) -> None:
    more: dict[str, Callable[[int], object]] = {
        "state": lambda row: "chargeback" if fraud(row) else "settled",
        "shop": lambda row: row % 20,
        "total": lambda row: row,
        "day": lambda row: f"2026-02-{1 + row // 10:02d}",
    }
    roles_named = ["--label", "state", "--id", "row", "--time", "day", "--amount", "total"]
    options = [*roles_named, "--entity", "shop", "--entity", "tx_id"]
    report = run(tmp_path / "own", table(tmp_path, PLAIN | more), *options)
    roles = read_project(tmp_path / "own").definition.event
    assert (roles.id, roles.time, roles.amount, roles.label) == ("id", "day", "total", "state")
    assert roles.entities == ("shop", "tx_id")
    assert report["fraud_values"] == ["chargeback"]
    assert sum(row.label or 0 for row in FileSource(read_project(tmp_path / "own")).rows()) == ROWS // 10


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--label tx_id", "a label has two"),
        ("--label amout", "Is amount meant?"),
        ("--id amount", "no whole numbers and no texts"),
        ("--id is_fraud", "repeated values"),
        ("--id cut", "a spreadsheet has cut the digits"),
        ("--time tx_id", "no time can be read"),
        ("--amount tx_id", "holds no numbers"),
        ("--entity cut", "a spreadsheet has cut the digits"),
    ],
)
def test_an_option_that_cannot_be_is_refused_with_what_to_do(tmp_path: Path, options: str, message: str) -> None:
    file = table(tmp_path, PLAIN | {"cut": lambda row: f"4.{row:03d}E+15"})
    with pytest.raises(ConfigurationError, match=message):
        run(tmp_path / "own", file, *options.split())
    assert not (tmp_path / "own").exists()


def test_a_file_without_label_amount_or_time(tmp_path: Path) -> None:
    without_label = table(tmp_path, {name: cell for name, cell in PLAIN.items() if name != "is_fraud"})
    with pytest.raises(ConfigurationError, match=r"--label COLUMN"):
        run(tmp_path / "own", without_label)
    without_amount = table(tmp_path, {name: cell for name, cell in PLAIN.items() if name != "amount"})
    with pytest.raises(ConfigurationError, match=r"--amount COLUMN"):
        run(tmp_path / "own", without_amount)
    bare = table(tmp_path, {"Amount": PLAIN["amount"], "Class": fraud})
    report = run(tmp_path / "own", bare)
    assert (report["id"], report["made_id"], report["time"], report["seconds_between_rows"]) == (
        "id",
        "row",
        "time",
        3600,
    )
    rows = list(FileSource(read_project(tmp_path / "own")).rows())
    assert [row.id for row in rows] == list(range(1, ROWS + 1))
    assert (rows[1].time - rows[0].time).total_seconds() == 3600


def test_a_folder_is_not_written_over_unless_forced(tmp_path: Path) -> None:
    file = table(tmp_path, PLAIN)
    run(tmp_path / "own", file)
    (tmp_path / "own" / "notes.txt").write_text("mine")
    with pytest.raises(ConfigurationError, match="--force"):
        run(tmp_path / "own", file)
    run(tmp_path / "own", file, "--force")
    assert (tmp_path / "own" / "notes.txt").read_text() == "mine"
    with pytest.raises(ConfigurationError, match="bundled"):
        run(tmp_path / "payments", file)


def test_the_folder_has_a_query_a_sample_and_a_case(tmp_path: Path) -> None:
    report = run(tmp_path / "own", table(tmp_path, PLAIN | {"order": lambda row: row % 4}))
    folder = tmp_path / "own"
    assert all((folder / name).is_file() for name in report["files"])
    project = read_project(folder)
    assert project.outputs == ("scored", "alerts", "rejected")
    query = (folder / "stream-analytics" / "fraud.asaql").read_text()
    assert query == query_text(project)
    assert surprises(folder) == []
    # Words of the language stand in brackets; the label goes along, and the model is given its inputs by name.
    assert "d.[order]" in query
    assert "d.is_fraud" in query
    assert len((folder / "sample.jsonl").read_text().splitlines()) == 5
    case = json.loads((folder / "tests" / "testConfig.json").read_text())["TestCases"][0]
    scored, _, rejected = (
        [json.loads(line) for line in (folder / "tests" / output["FilePath"]).read_text().splitlines()]
        for output in case["ExpectedOutputs"]
    )
    assert [row["tx_id"] for row in scored] == [f"t{row}" for row in range(5)]
    assert [(row["key"], row["field"]) for row in rejected] == [("t0", "amount")]


def test_without_a_file_there_is_a_template(tmp_path: Path) -> None:
    run(tmp_path / "own", None)
    project = read_project(tmp_path / "own")
    assert project.definition.event.id == "id"
    assert (tmp_path / "own" / "stream-analytics" / "fraud.asaql").read_text() == query_text(project)
    with pytest.raises(ConfigurationError, match="--from"):
        run(tmp_path / "other", None, "--label", "fraud")


def test_names_and_values_of_any_kind_can_be_read_back(tmp_path: Path) -> None:
    odd: dict[str, Callable[[int], object]] = {
        'a "b" \\c': lambda row: ['"x"', "y\\", "ü\x7f"][row % 3] if row % 2 else "🙂",
        "score": lambda row: row % 17,
        "": lambda row: row,
    }
    file = tmp_path / "rows.jsonl"
    cells = PLAIN | {"nested": lambda row: {"x.y": 1, "kind of": "ab"[row % 2]}} | odd
    file.write_text("\n".join(json.dumps({name: cell(row) for name, cell in cells.items()}) for row in range(ROWS)))
    report = run(tmp_path / "own", file)
    assert report["read_back"]["accepted"] == ROWS
    definition = tomllib.loads((tmp_path / "own" / "fraudstream.toml").read_text())
    assert definition["categories"]["nested.kind of"] == ["a", "b"]
    assert "file_score" in definition["model"]["inputs"]
    assert surprises(tmp_path / "own") == []


def test_of_a_large_file_every_so_many_rows_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "MOST_ROWS", 30)
    # An id that looks unique in the rows looked at, and is not.
    twice: dict[str, Callable[[int], object]] = {"tx_id": lambda row: f"t{min(row, ROWS - 2)}"}
    sample = sampling.read_sample(table(tmp_path, PLAIN | twice))
    assert (sample.count, sample.total, sample.is_whole) == (30, ROWS, False)
    assert sample.columns[1].values[-1] == PLAIN["made_at"](ROWS - 1)
    assert run(tmp_path / "own", tmp_path / "rows.csv")["made_id"] == "row"
    assert run(tmp_path / "other", table(tmp_path, PLAIN))["id"] == "tx_id"


def test_rows_of_one_score_count_together() -> None:
    frauds = np.array([True, False, True, False])
    assert average_precision(np.array([1.0, 1.0, 0.5, 0.1]), frauds) == pytest.approx((0.5 + 2 / 3) / 2)
    assert average_precision(np.array([4.0, 1.0, 3.0, 2.0]), frauds) == 1
    assert average_precision(np.zeros(4), frauds) == 0.5


def test_names_are_told_apart_by_their_words() -> None:
    names = {"TransactionDT": "transaction dt", "cc_num": "cc num", "card1": "card 1", "Händler-ID": "händler id"}
    assert {name: " ".join(words(name)) for name in names} == names


def test_edges_are_numbers_that_people_read() -> None:
    assert nice_edges(np.arange(0.0, 1000.0)) == (0, 100, 200, 500, 800, 1000)
    assert nice_edges(np.array([1.0, 1.0, np.nan])) == (0, 1)
