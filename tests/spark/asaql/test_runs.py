"""Runs: the order of what comes out, files in parts, rows kept apart by a key, errors that end a query."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from fraudstream.asaql.errors import QueryStopped
from tests.spark.asaql.conftest import Run

pytestmark = pytest.mark.spark


def moment(second: int) -> str:
    return f"2026-01-01T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"


def written(path: Path, rows: Iterator[str]) -> Path:
    with path.open("w", encoding="utf-8") as lines:
        lines.writelines(f"{row}\n" for row in rows)
    return path


def test_rows_come_by_time_and_then_by_content(run: Run, tmp_path: Path) -> None:
    content = [{"a": 2, "t": moment(5)}, {"a": 9, "t": moment(1)}, {"a": 1, "t": moment(5)}]
    path = written(tmp_path / "r.json", map(json.dumps, content))
    report = run("SELECT a INTO [out/1] FROM i TIMESTAMP BY t", {"i": [path]})
    assert report.outputs[0].values() == [{"a": 9}, {"a": 1}, {"a": 2}]
    assert report.outputs[0].file.name == "out_1.json"


def test_several_outputs_and_several_selects_into_one(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path / "r.json", iter(['{"a":1}', '{"a":2}']))
    query = "SELECT a INTO x FROM i WHERE a = 1; SELECT a INTO y FROM i; SELECT a + 10 AS a INTO X FROM i WHERE a = 2"
    report = run(query, {"i": [path]})
    rows = {output.name: sorted(row["a"] for row in output.values()) for output in report.outputs}
    assert rows == {"x": [1, 12], "y": [1, 2]}


def test_an_output_without_rows_is_an_empty_file(run: Run, tmp_path: Path) -> None:
    report = run("SELECT a INTO o FROM i WHERE a > 5", {"i": [written(tmp_path / "r.json", iter(['{"a":1}']))]})
    assert (report.outputs[0].rows, report.outputs[0].file.read_bytes()) == (0, b"")


def test_files_are_read_in_their_order(run: Run, tmp_path: Path) -> None:
    paths = [written(tmp_path / f"{n}.json", iter([f'{{"a":{n},"t":"{moment(0)}"}}'])) for n in (3, 1, 2)]
    query = "SELECT a, LAG(a) OVER (LIMIT DURATION(second, 1)) AS before INTO o FROM i TIMESTAMP BY t"
    rows = run(query, {"i": paths}).outputs[0].values()
    assert {row["a"]: row["before"] for row in rows} == {3: None, 1: 3, 2: 1}


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More than one part: 17 MB of lines, among them broken ones and objects of several lines."""
    drawn = random.Random(7)
    padding = "x" * 120

    def rows() -> Iterator[str]:
        for number in range(110_000):
            row = {"n": number, "k": f"k{drawn.randrange(40)}", "t": moment(drawn.randrange(3600)), "p": padding}
            if number % 5_003 == 5:
                yield json.dumps(row, indent=2)
            elif number % 7_001 == 9:
                yield json.dumps(row)[:-3]
            else:
                yield json.dumps(row)

    return written(tmp_path_factory.mktemp("many") / "many.json", rows())


def expected(many: Path) -> list[dict[str, object]]:
    text = many.read_text("utf-8")
    decoder = json.JSONDecoder()
    rows, at = [], 0
    while at < len(text):
        try:
            row, at = decoder.raw_decode(text, at)
            rows.append(row)
        except json.JSONDecodeError:
            at = text.find("\n", at)
        at += len(text[at : at + 2]) - len(text[at : at + 2].lstrip())
    return rows


def test_a_file_read_in_parts_loses_nothing(run: Run, many: Path) -> None:
    report = run("SELECT n, k INTO o FROM i TIMESTAMP BY t", {"i": [many]})
    rows = expected(many)
    assert sorted(row["n"] for row in report.outputs[0].values()) == [row["n"] for row in rows]
    assert report.inputs[0].records == len(rows) + report.inputs[0].dropped["InputDeserializationError"]
    lines = many.read_text("utf-8").split("\n")
    assert all(lines[problem.line - 1] == problem.record for problem in report.told)


def test_rows_kept_apart_by_a_key_are_counted_as_in_one_place(run: Run, many: Path) -> None:
    query = "SELECT k, COUNT(*) AS n INTO o FROM i TIMESTAMP BY t GROUP BY {} TumblingWindow(minute, 10)"
    apart = run(query.format("k,"), {"i": [many]}).outputs[0].values()
    counted: Counter[str] = Counter()
    for row in apart:
        counted[row["k"]] += row["n"]
    assert counted == Counter(row["k"] for row in expected(many))
    assert len(apart) > 40 * 5


def test_an_expression_that_fails_ends_the_query(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path / "r.json", iter([f'{{"a":"{n}","t":"{moment(n)}"}}' for n in range(5)]))
    with pytest.raises(QueryStopped, match=r"q\.asaql:1:8: .*'3'|q\.asaql:1:8") as error:
        run("SELECT CAST(REPLACE(a, '3', 'x') AS bigint) AS b INTO o FROM i TIMESTAMP BY t", {"i": [path]})
    assert (error.value.line, error.value.column) == (1, 8)
    assert f'The record: {{"a":"3","t":"{moment(3)}"}}' in str(error.value)


def test_a_query_that_stops_leaves_no_output_of_an_earlier_run(run: Run, tmp_path: Path) -> None:
    path = written(tmp_path / "r.json", iter(['{"a":"x"}']))
    with pytest.raises(QueryStopped):
        run("SELECT CAST(a AS bigint) AS b INTO o FROM i", {"i": [path]})
    assert list(tmp_path.rglob("o.json")) == []
