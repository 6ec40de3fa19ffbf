"""Records as files have them: every layout, what is dropped and where it stands."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from fraudstream.asaql.project_files.models import InputFile
from fraudstream.core.errors import FraudstreamError
from tests.spark.asaql.conftest import Run

pytestmark = pytest.mark.spark

ALL = "SELECT * INTO o FROM i"


def file(folder: Path, content: str | bytes, name: str = "records.json") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    "content",
    [
        '{"a":1,"b":"x"}\n{"a":2,"b":"é}"}\n',
        '{"a":1,"b":"x"}\r\n\r\n{"a":2,"b":"é}"}',
        '[{"a":1,"b":"x"},{"a":2,"b":"é}"}]',
        '[\n  {\n    "a": 1,\n    "b": "x"\n  },\n  {\n    "a": 2,\n    "b": "é}"\n  },\n]\n',
        '{"a":1,"b":"x"}{"a":2,"b":"é}"}',
        '{"a":1,"b":"x"}, {"a":2,"b":"é}"}',
        '\ufeff{"a":1,"b":"x"}\n{"a":2,"b":"é}"}',
        gzip.compress('[{"a":1,"b":"x"},{"a":2,"b":"é}"}]'.encode()),
        '{"a":1,\n"b":"x"}\n{"a":2,\n"b":"é}"}\n',
    ],
)
def test_every_layout_of_json_gives_the_same_records(run: Run, tmp_path: Path, content: str | bytes) -> None:
    report = run(ALL, {"i": [file(tmp_path, content)]})
    assert report.outputs[0].values() == [{"a": 1, "b": "x"}, {"a": 2, "b": "é}"}]
    assert [(source.records, source.dropped) for source in report.inputs] == [(2, {})]


@pytest.mark.parametrize(
    ("content", "good", "lines"),
    [
        ('{"a":1}\n{"a":\n{"a":3}\n', [1, 3], [2]),
        ('{"a":1}\n{"a":"x\n{"a":3}\n', [1, 3], [2]),
        ('{"a":1}\nnothing\n{"a":3}\n', [1, 3], [2]),
        ('{"a":1}\n{"a":2}}\n{"a":3}', [1, 2, 3], [2]),
        ('{"a":1}\n{a:2}\n{"a":3}', [1, 3], [2]),
        ('[{"a":1},\n{"a":2\n{"a":3}]', [1, 3], [2]),
        ('{"a":1}\n{"a":9223372036854775808}\n', [1], [2]),
        ('{"a":1}\n"text"\n17\n', [1], [2, 3]),
        ('{"a":1}\n{"a":2', [1], [2]),
        (b'{"a":1}\n{"a":"\xff"}\n', [1], [2]),
        ('\n\n{"a":1}\n\n{"b\n', [1], [5]),
    ],
)
def test_a_broken_record_is_dropped_and_told_by_its_line(
    run: Run, tmp_path: Path, content: str | bytes, good: list[int], lines: list[int]
) -> None:
    path = file(tmp_path, content)
    report = run(ALL, {"i": [path]})
    assert [row["a"] for row in report.outputs[0].values()] == good
    assert [(problem.file, problem.line, problem.kind) for problem in report.told] == [
        (str(path), line, "InputDeserializationError") for line in lines
    ]
    assert report.inputs[0].dropped == {"InputDeserializationError": len(lines)}
    assert report.inputs[0].records == len(good) + len(lines)


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ('a,b\n1,x\n"2","y ""z"", é"\n', ""),
        ('a;b\r\n1;x\r\n2;"y ""z"", é"\r\n', ""),
        ('\ufeffa\tb\n1\tx\n\n2\t"y ""z"", é"', ""),
        ('a b\n1 x\n2 "y ""z"", é"\n', "space"),
    ],
)
def test_all_values_of_csv_are_texts(run: Run, tmp_path: Path, content: str, delimiter: str) -> None:
    described = {"i": InputFile.of({"Delimiter": delimiter}, "x")}
    report = run(ALL, {"i": [file(tmp_path, content, "r.csv")]}, described=described)
    assert report.outputs[0].values() == [{"a": "1", "b": "x"}, {"a": "2", "b": 'y "z", é'}]


def test_a_row_of_csv_with_another_number_of_values_is_dropped(run: Run, tmp_path: Path) -> None:
    report = run(ALL, {"i": [file(tmp_path, 'a,b\n1,"x\ny"\n2\n3,z,4\n5,"open\n', "r.csv")]})
    assert report.outputs[0].values() == [{"a": "1", "b": "x\ny"}]
    assert [(problem.line, problem.message) for problem in report.told] == [
        (4, "It has 1 values, and the first row names 2."),
        (5, "It has 3 values, and the first row names 2."),
        (6, "A quote is not closed."),
    ]


def test_a_column_that_csv_names_twice_is_an_error(run: Run, tmp_path: Path) -> None:
    with pytest.raises(FraudstreamError, match=r"r\.csv cannot be read: the first row names the column A twice"):
        run(ALL, {"i": [file(tmp_path, "a,A\n1,2\n", "r.csv")]})


def test_parquet_keeps_types(run: Run, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table(
        {
            "n": pa.array([1, None], pa.int32()),
            "x": [0.5, 2.0],
            "t": ["a", "b"],
            "ok": [True, None],
            "day": [date(2026, 1, 2), None],
            "at": [datetime(2026, 1, 2, 3, 4, 5, 678_901, UTC), datetime(2026, 1, 2, tzinfo=UTC)],
            "inner": [{"list": [1, 2]}, None],
        }
    )
    path = tmp_path / "r.parquet"
    pq.write_table(table, path)
    query = "SELECT *, GetType(at) AS kind, System.Timestamp() AS time INTO o FROM i TIMESTAMP BY at"
    nothing = {"n": None, "ok": None, "day": None, "inner": None}
    assert run(query, {"i": [path]}).outputs[0].values() == [
        nothing
        | {"x": 2.0, "t": "b", "at": "2026-01-02T00:00:00.0000000Z", "kind": "datetime"}
        | {"time": "2026-01-02T00:00:00.0000000Z"},
        {
            "n": 1,
            "x": 0.5,
            "t": "a",
            "ok": True,
            "day": "2026-01-02T00:00:00.0000000Z",
            "at": "2026-01-02T03:04:05.6789010Z",
            "inner": {"list": [1, 2]},
            "kind": "datetime",
            "time": "2026-01-02T03:04:05.6789010Z",
        },
    ]


CREATED = "CREATE TABLE i (a bigint, f float, t datetime, s nvarchar(max)); SELECT a, f, t, s INTO o FROM i"


def test_declared_columns_are_checked(run: Run, tmp_path: Path) -> None:
    good = {"a": 1, "f": 2, "t": "2026-01-01T00:00:00Z", "s": "x"}
    rows = [good, good | {"a": "1"}, good | {"t": "soon"}, {"a": 1, "f": 2.5}, good | {"s": 5}, good | {"f": None}]
    report = run(CREATED, {"i": [file(tmp_path, "\n".join(map(json.dumps, rows)))]})
    assert report.outputs[0].values() == [
        {"a": 1, "f": 2.0, "t": "2026-01-01T00:00:00.0000000Z", "s": "x"},
        {"a": 1, "f": None, "t": "2026-01-01T00:00:00.0000000Z", "s": "x"},
    ]
    assert [problem.line for problem in report.told] == [2, 3, 4, 5]
    assert report.told[2].message == "It has no column t, which CREATE TABLE declares."


def test_declared_columns_of_csv_are_read(run: Run, tmp_path: Path) -> None:
    report = run(CREATED, {"i": [file(tmp_path, "a,f,t,s\n1,2,2026-01-01,x\n1.5,2,2026-01-01,x\n1,NaN,,x\n", "r.csv")]})
    assert report.outputs[0].values() == [{"a": 1, "f": 2.0, "t": "2026-01-01T00:00:00.0000000Z", "s": "x"}]
    assert [problem.line for problem in report.told] == [3, 4]


def test_a_record_without_a_time_is_dropped(run: Run, tmp_path: Path) -> None:
    query = "SELECT a, System.Timestamp() AS t INTO o FROM i TIMESTAMP BY t"
    content = '{"a":1,"t":"2026-01-01T00:00:01Z"}\n{"a":2}\n{"a":3,"t":"soon"}\n{"a":4,"t":5}\n'
    report = run(query, {"i": [file(tmp_path, content)]})
    assert report.outputs[0].values() == [{"a": 1, "t": "2026-01-01T00:00:01.0000000Z"}]
    assert report.inputs[0].dropped == {"InvalidInputTimeStamp": 3}
    assert [problem.message for problem in report.told] == [
        "TIMESTAMP BY is NULL for it.",
        'TIMESTAMP BY is nvarchar(max) "soon" and no datetime.',
        "TIMESTAMP BY is bigint 5 and no datetime.",
    ]


def test_a_record_without_a_key_of_its_time_is_dropped(run: Run, tmp_path: Path) -> None:
    query = "SELECT a INTO o FROM i TIMESTAMP BY t OVER k"
    content = '{"a":1,"t":"2026-01-01T00:00:01Z","k":"x"}\n{"a":2,"t":"2026-01-01T00:00:01Z"}\n'
    report = run(query, {"i": [file(tmp_path, content)]})
    assert report.outputs[0].values() == [{"a": 1}]
    assert report.inputs[0].dropped == {"InvalidInputTimeStampKey": 1}


def test_reference_data_are_read_whole_and_their_broken_records_told(run: Run, tmp_path: Path) -> None:
    query = "SELECT i.k, r.v INTO o FROM i JOIN r ON i.k = r.k"
    streams = file(tmp_path, '{"k":"1"}\n{"k":"2"}\n{"k":"3"}\n')
    table = file(tmp_path, "k,v\n1,a\n2,b\n2,c\n4\n", "r.csv")
    report = run(query, {"i": [streams], "r": [table]}, references=["r"])
    assert report.outputs[0].values() == [{"k": "1", "v": "a"}, {"k": "2", "v": "b"}, {"k": "2", "v": "c"}]
    assert [(source.name, source.records, source.dropped) for source in report.inputs] == [
        ("i", 3, {}),
        ("r", 4, {"InputDeserializationError": 1}),
    ]


def test_bytes_that_are_no_text_are_refused_as_well_where_events_have_ever_new_names(run: Run, tmp_path: Path) -> None:
    """Such events are read without a table of names, by another decoder."""
    count = 25_000
    new = "".join(f'{{"n{number}": "é"}}\n' for number in range(count)).encode()
    path = tmp_path / "new.jsonl"
    path.write_bytes(new + b'{"n":"\xff"}\n{"n":"\xed\xa0\x80"}\n{"n":"\xc3\xa9"}\n')
    report = run("SELECT i.n INTO o FROM i WHERE i.n IS NOT NULL", {"i": [path]})
    assert report.outputs[0].values() == [{"n": "é"}]
    assert [problem.line for problem in report.told] == [count + 1, count + 2]
