"""A file's rows as events of a project, whatever the file's oddities."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fraudstream.core.contract.gate import Gate
from fraudstream.core.contract.topics import MAX_EVENT_BYTES
from fraudstream.core.errors import ConfigurationError, EventError
from fraudstream.core.project.project import Project, read_project
from fraudstream.core.project.reserved import RESERVED_FIELDS
from fraudstream.generator.files.source import FileSource

FIELDS: dict[str, Any] = {
    "key": {"type": "string", "minLength": 1, "maxLength": 40},
    "at": {"type": "string"},
    "amount": {"type": "number"},
    "online": {"type": "boolean"},
    "visits": {"type": "integer"},
    "fraud": {"type": ["integer", "null"], "minimum": 0, "maximum": 1},
}
HEADER = "key,at,amount,online,visits,fraud\n"
ROW = "a,2026-01-05 08:00:00,1.10,T,3.0,0\n"


def project(
    folder: Path,
    fields: Mapping[str, Any] = FIELDS,
    required: tuple[str, ...] = ("key", "at", "amount"),
    event: str = "",
    source: str = "",
) -> Project:
    """A project of the fields; ``event`` and ``source`` are further lines of these tables."""
    roles = {"id": "key", "time": "at", "time_format": "iso8601", "amount": "amount", "label": "fraud"}
    given = {line.split(" = ")[0] for line in event.splitlines()}
    lines = [f'{role} = "{name}"' for role, name in roles.items() if role not in given]
    folder.mkdir(exist_ok=True)
    text = "\n".join(['title = "Own"', "[event]", *lines, event, "[model]", 'inputs = ["amount"]', "[source]", source])
    if "amount = " in event:
        text = text.replace('inputs = ["amount"]', f"inputs = [{event.split('amount = ')[1].splitlines()[0]}]")
    (folder / "fraudstream.toml").write_text(text)
    schema = {"type": "object", "properties": fields, "required": list(required)}
    (folder / "event.schema.json").write_text(json.dumps(schema))
    return read_project(folder)


def events(own: Project, file: Path) -> list[dict[str, Any]]:
    return [json.loads(row.value) for row in FileSource(own, file).rows()]


def reason(own: Project, value: bytes) -> str:
    """Why the contract rejects an event; empty where it does not."""
    try:
        Gate(own.rules, RESERVED_FIELDS, MAX_EVENT_BYTES).read(value)
    except EventError as error:
        return str(error)
    return ""


def csv_file(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    file = folder / "rows.csv"
    file.write_bytes(text.encode(encoding))
    return file


def test_a_row_is_an_event_without_its_label_and_one_with_it(tmp_path: Path) -> None:
    own = project(tmp_path / "own")
    (row,) = FileSource(own, csv_file(tmp_path, HEADER + ROW)).rows()
    assert row.value == b'{"key":"a","at":"2026-01-05 08:00:00","amount":1.10,"online":true,"visits":3}'
    assert row.labelled() == row.value[:-1] + b',"fraud":0}'
    assert (row.number, row.id, row.key, row.label) == (0, "a", b"a", 0)
    assert row.time == datetime(2026, 1, 5, 8, tzinfo=UTC)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "latin-1"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_encodings_line_ends_and_packing_do_not_matter(tmp_path: Path, encoding: str, ends: str) -> None:
    own = project(tmp_path / "own")
    text = (HEADER.replace("visits", "note") + 'ü,2026-01-05,1.10,T,"a ""b"", é",0').replace("\n", ends)
    plain = csv_file(tmp_path, text, encoding)
    packed = tmp_path / "rows.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    for file in (plain, packed):
        assert events(own, file) == [
            {"key": "ü", "at": "2026-01-05", "amount": 1.1, "online": True, "note": 'a "b", é'}
        ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found(tmp_path: Path, delimiter: str) -> None:
    own = project(tmp_path / "own")
    assert len(events(own, csv_file(tmp_path, (HEADER + ROW * 3).replace(",", delimiter)))) == 3


def test_rows_come_in_the_order_of_time_and_then_of_the_file(tmp_path: Path) -> None:
    own = project(tmp_path / "own", source="history_share = 0.34")
    hours = (5, 3, 5, 1, 3)
    lines = "".join(f"k{number},2026-01-05 0{hour}:00:00,1,,,0\n" for number, hour in enumerate(hours))
    source = FileSource(own, csv_file(tmp_path, HEADER + lines))
    assert [row.number for row in source.rows()] == [3, 1, 4, 0, 2]
    assert [row.id for row in source.rows(1, 3)] == ["k1", "k4"]
    assert (source.count, source.history_count) == (5, 1)


def test_odd_rows_are_sent_named_and_counted(tmp_path: Path) -> None:
    own = project(tmp_path / "own")
    short, long = "b,2026-01-05 09:00:00,2\n", "c,2026-01-05 10:00:00,3,T,1,1,more,\n"
    text = HEADER + '"a\nb",2026-01-05 08:00:00,1,T,1,0\n' + short + "\n" + long + "\0,2026-01-05 11:00:00,4,,,"
    source = FileSource(own, csv_file(tmp_path, text))
    payloads = [json.loads(row.value) for row in source.rows()]
    assert [event["key"] for event in payloads] == ["a\nb", "b", "c", "\0"]
    assert payloads[1] == {"key": "b", "at": "2026-01-05 09:00:00", "amount": 2}
    assert payloads[2]["column_7"] == "more"
    assert [row.label for row in source.rows()] == [0, None, 1, None]
    assert source.odd_count == 2
    assert [odd.line for odd in source.first_odd_rows] == [4, 6]


def test_an_open_quote_ends_with_what_to_do(tmp_path: Path) -> None:
    own = project(tmp_path / "own")
    file = csv_file(tmp_path, HEADER + ROW + '"a,' + "x" * MAX_EVENT_BYTES + "\n")
    with pytest.raises(ConfigurationError, match="A quote may be open"):
        FileSource(own, file)


def test_names_that_no_event_may_have_are_changed(tmp_path: Path) -> None:
    own = project(tmp_path / "own")
    header = ",key,at,amount,score,$fee,a.b,V1,v1,V1,Unnamed: 10\n"
    (event,) = events(own, csv_file(tmp_path, header + "7,a,2026-01-05,1,2,3,4,5,6,7,8\n"))
    others = ["file_score", "fee", "a_b", "V1", "v1_2", "V1_3", "column_11"]
    assert list(event) == ["column_1", "key", "at", "amount", *others]
    assert reason(own, json.dumps(event).encode()) == ""


def test_what_does_not_fit_is_sent_as_it_stands_and_rejected(tmp_path: Path) -> None:
    """Such as a value beyond the rows that `fraudstream init` looked at."""
    own = project(tmp_path / "own")
    lines = [ROW, "b,2026-01-06,ERROR,T,1,0\n", "c,soon,2,T,1,0\n", ",2026-01-07,2,T,1,1\n", "d,2026-01-08,2,T,1.5,?\n"]
    rows = list(FileSource(own, csv_file(tmp_path, HEADER + "".join(lines))).rows())
    reasons = [reason(own, row.value) for row in rows]
    assert [text.split(":")[0] for text in reasons] == ["", "amount", "at", "key", "visits"]
    # The row without a time has that of the row before it; one without an id has no label to tell.
    assert (rows[2].time, rows[3].id, rows[3].key, rows[3].label) == (rows[1].time, "", b"", None)
    assert reason(own, rows[4].labelled()).startswith(("visits", "fraud"))


def test_a_file_without_id_and_time_gets_them(tmp_path: Path) -> None:
    fields = {"number": {"type": "integer"}, "made": {"type": "string"}} | {
        name: FIELDS[name] for name in ("amount", "fraud")
    }
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    event = 'id = "number"\ntime = "made"\ntime_origin = 2026-01-01T00:00:00Z'
    columns = ("number", "made", "amount")
    own = project(tmp_path / "own", fields, columns, event, 'id = "row"\nseconds_between_rows = 0.5')
    rows = list(FileSource(own, csv_file(tmp_path, "amount,fraud\n1,0\n1,0\n2,1\n")).rows())
    assert [row.id for row in rows] == [1, 2, 3]
    assert [row.time - begin for row in rows] == [timedelta(seconds=half / 2) for half in range(3)]
    assert rows[1].value == b'{"number":2,"amount":1,"made":"2026-01-01T00:00:00.500000Z"}'
    hashed = project(tmp_path / "hashed", fields, columns, event, 'id = "hash"\nseconds_between_rows = 1.0')
    ids = [row.id for row in FileSource(hashed, tmp_path / "rows.csv").rows()]
    assert ids[0] == ids[1] != ids[2]


def test_columns_constants_and_fraud_values_are_as_the_project_says(tmp_path: Path) -> None:
    source = 'columns = { key = "Transaction No" }\nconstants = { online = false }\nfraud_values = ["Chargeback"]'
    own = project(tmp_path / "own", source=source)
    rows = list(
        FileSource(
            own, csv_file(tmp_path, "Transaction No,at,amount,fraud\na,2026-01-05,1,chargeback\nb,2026-01-05,1,ok\n")
        ).rows()
    )
    assert [row.label for row in rows] == [1, 0]
    assert rows[0].value == b'{"key":"a","at":"2026-01-05","amount":1,"online":false}'
    with pytest.raises(ConfigurationError, match=r"no column for 'key'.*\[source.columns\]"):
        FileSource(project(tmp_path / "other"), tmp_path / "rows.csv")


NESTED = {
    "key": FIELDS["key"],
    "at": {"type": "string"},
    "payment": {
        "type": "object",
        "properties": {"amount": {"type": "number"}, "mcc": {"type": "string"}, "fraud": {"type": ["boolean", "null"]}},
        "required": ["amount"],
    },
}
NESTED_ROLES = 'amount = "payment.amount"\nlabel = "payment.fraud"\nentities = ["payment.mcc"]'


@pytest.mark.parametrize("is_array", [False, True])
def test_json_keeps_its_digits_its_texts_and_its_unknown_fields(tmp_path: Path, is_array: bool) -> None:
    own = project(tmp_path / "own", NESTED, ("key", "at", "payment"), NESTED_ROLES)
    texts = [
        '{"key": "a", "at": "2026-01-05", "payment": {"amount": 1.10, "mcc": "007", "fraud": true}, "more": [1.0]}',
        '{"key": "b", "at": "2026-01-06", "payment": {"amount": "2.50", "mcc": 7, "fraud": null}, "score": NaN}',
    ]
    file = tmp_path / "rows.json"
    file.write_text(f" [{', '.join(texts)} ]" if is_array else "\n\n".join(texts))
    first, second = FileSource(own, file).rows()
    assert first.value == b'{"key":"a","at":"2026-01-05","payment":{"amount":1.10,"mcc":"007"},"more":[1.0]}'
    assert json.loads(first.labelled()) == json.loads(texts[0])
    assert second.value == b'{"key":"b","at":"2026-01-06","payment":{"amount":2.50,"mcc":"7"}}'
    assert (first.label, second.label) == (1, None)


def test_a_broken_line_is_sent_as_it_stands(tmp_path: Path) -> None:
    own = project(tmp_path / "own")
    file = tmp_path / "rows.jsonl"
    file.write_text('{"key": "a", "at": "2026-01-05", "amount": 1, "fraud": 0}\n{"key": "b", \n')
    rows = list(FileSource(own, file).rows())
    assert (rows[1].value, rows[1].id, rows[1].time) == (b'{"key": "b",', "", rows[0].time)
    assert reason(own, rows[1].value).startswith("value: not one JSON object")


def test_parquet_keeps_types_groups_and_moments(tmp_path: Path) -> None:
    fields = NESTED | {"fraud": FIELDS["fraud"], "cents": {"type": "number"}, "born": {"type": "string"}}
    own = project(tmp_path / "own", fields, ("key", "at", "payment"), 'amount = "payment.amount"')
    moment = datetime(2026, 1, 5, 9, 30, 0, 250_000)
    table = pa.table(
        {
            "key": pa.array(["a", "b"]).dictionary_encode(),
            "at": pa.array([moment, moment + timedelta(hours=1)], pa.timestamp("us", "Europe/Berlin")),
            "payment": [{"amount": 1.5, "mcc": "5411"}, {"amount": 2.0, "mcc": None}],
            "cents": pa.array([Decimal("1.10"), None], pa.decimal128(10, 2)),
            "born": pa.array([moment.date(), None]),
            "single": pa.array([0.1, float("nan")], pa.float32()),
            "tags": [["x"], []],
            "fraud": pa.array([1, 0], pa.int8()),
        }
    )
    file = tmp_path / "rows.parquet"
    pq.write_table(table, file, row_group_size=1)
    first, second = FileSource(own, file).rows()
    assert json.loads(first.value) == {
        "key": "a",
        "at": "2026-01-05T09:30:00.250000Z",
        "payment": {"amount": 1.5, "mcc": "5411"},
        "cents": 1.1,
        "born": "2026-01-05",
        "single": 0.1,
        "tags": ["x"],
    }
    assert b'"cents":1.10' in first.value
    assert first.time == moment.replace(tzinfo=UTC)
    assert json.loads(second.value)["payment"] == {"amount": 2.0}
    assert [row.label for row in FileSource(own, file).rows(1)] == [0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"PK\x03\x04rest", "Excel workbook"),
        (b"\x1f\x8bbroken", "cannot be read"),
        (b"PAR1 and no more", "cannot be read as Parquet"),
        (b'{"a": 1,\n"b": 2}\n', "one event a line"),
        (b"key,at,amount\n", "no rows"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_what_to_do(tmp_path: Path, content: bytes, message: str) -> None:
    file = tmp_path / "rows"
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=message):
        FileSource(project(tmp_path / "own"), file)
