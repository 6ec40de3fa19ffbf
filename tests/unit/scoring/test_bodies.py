"""Bodies are read into checked columns; a fault is told by its row and field."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import orjson
import pytest

from fraudstream.core.contract.event import AMOUNT, FEATURES, ID, TIME
from fraudstream.core.errors import ModelError, ScoringRejected
from fraudstream.core.output.text import printable
from fraudstream.core.registry import LoadedModel
from fraudstream.scoring.bodies import INVOCATION_SHAPES, ScoringRequest, read_request, score
from tests.events import GOOD, named, renamed

ROW = {name: GOOD[name] for name in FEATURES}
ROWS = [ROW | {AMOUNT: amount} for amount in (1, 2.5, 700.0)]


def table(rows: list[dict[str, Any]], columns: list[str] | None = None) -> dict[str, Any]:
    columns = columns or list(FEATURES)
    return {
        "columns": columns,
        "index": list(range(len(rows))),
        "data": [[row[name] for name in columns] for row in rows],
    }


def body(shape: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    if shape in ("input_data", "dataframe_split"):
        return {shape: table(rows)}
    return {"Inputs": {"WebServiceInput0": rows}} if shape == "Inputs" else {shape: rows}


def refusal(content: Any) -> str:
    with pytest.raises(ScoringRejected) as caught:
        read_request(content if isinstance(content, bytes) else json.dumps(content).encode())
    return str(caught.value)


SHAPES = ("data", "input_data", "Inputs", "dataframe_split", "dataframe_records")


@pytest.mark.parametrize("shape", SHAPES)
def test_each_shape_gives_the_same_columns_in_the_features_order(shape: str) -> None:
    read = read_request(json.dumps(body(shape, ROWS)).encode())
    assert read == ScoringRequest(shape, {name: [row[name] for row in ROWS] for name in FEATURES}, 3)  # type: ignore[arg-type]
    assert tuple(read.columns) == FEATURES


def test_column_order_is_free_and_extra_columns_are_ignored() -> None:
    columns = [ID, *reversed(FEATURES), "note", "note"]
    rows = [row | {ID: 7, "note": None} for row in ROWS]
    shuffled = read_request(orjson.dumps({"input_data": table(rows, columns)}))
    by_row = read_request(orjson.dumps({"data": rows}))
    assert shuffled.columns == by_row.columns == {name: [row[name] for row in ROWS] for name in FEATURES}


@pytest.mark.parametrize("shape", SHAPES)
def test_no_rows_are_no_columns_to_check(shape: str) -> None:
    assert read_request(json.dumps(body(shape, [])).encode()).count == 0


def test_an_empty_table_needs_no_columns() -> None:
    assert read_request(b'{"input_data": {"columns": [], "index": [], "data": []}}').count == 0


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("field", "value", "shown"),
    [
        ("amount", "12", 'a finite number, got "12"'),
        ("amount", True, "a finite number, got true"),
        ("amount", None, "a finite number, got null"),
        ("credit", [1], "a finite number, got [1]"),
        ("foreign_transaction", False, "a finite number, got false"),
        ("day_of_week", 3, "text, got 3"),
        ("transaction_method", None, "text, got null"),
    ],
)
def test_a_value_of_a_wrong_type_is_told_by_row_and_field(shape: str, field: str, value: Any, shown: str) -> None:
    rows = [ROW, ROW | renamed({field: value}), ROW | renamed({field: value})]
    assert refusal(body(shape, rows)) == f"row 1: {named(field)}: expected {shown}."


def test_long_values_are_cut_in_messages() -> None:
    assert len(refusal({"data": [ROW | {AMOUNT: "x" * 5000}]})) < 150


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_numbers_that_json_does_not_have_are_refused(number: str) -> None:
    content = json.dumps({"data": [ROW]}).replace("12.5", number).encode()
    assert "is not JSON" in refusal(content)


def test_large_numbers_pass_though_their_sum_is_beyond_single_precision() -> None:
    largest = 3.4028234663852886e38
    assert read_request(orjson.dumps({"data": [ROW | {AMOUNT: largest}] * 3})).count == 3
    assert read_request(orjson.dumps({"data": [ROW | {AMOUNT: -largest}, ROW | {AMOUNT: 10**18}]})).count == 2


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("number", [3.4028235e38, 1e39, -1e39, 1.7e308, 2**200])
def test_a_number_that_the_model_has_no_room_for_is_told_by_row_and_field(shape: str, number: float) -> None:
    """In single precision it is infinite: the model would refuse it without a name, or score what nobody sent."""
    name = named("old_balance")
    rows = [ROW, ROW | {name: number}, ROW | {name: -number}]
    message = refusal(body(shape, rows))
    assert message.startswith(f"row 1: {name}: expected a number of at most 3.4028234663852886e+38 either way, got ")


DEEP = b"[" * 600 + b"]" * 600
GOOD_ROW = json.dumps(ROW).encode()


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 10_000 + b"]" * 10_000,
        b'{"data":' + DEEP + b"}",
        b'{"data":[' + DEEP + b"]}",
        b'{"input_data":{"columns":[' + DEEP + b'],"data":[[1]]}}',
        b'{"input_data":{"columns":' + DEEP + b',"data":[[1]]}}',
        b'{"input_data":' + DEEP + b"}",
        b'{"Inputs":' + DEEP + b"}",
        b'{"data":[' + GOOD_ROW.replace(b"12.5", DEEP) + b"]}",
        b'{"data":[' + GOOD_ROW.replace(b"12.5", DEEP.replace(b"[", b'{"a":').replace(b"]", b"}")) + b"]}",
        b'{"data":[' + GOOD_ROW.replace(b"12.5", b"1e400") + b"]}",
        b'{"data":[' + GOOD_ROW.replace(b"12.5", b"9" * 400) + b"]}",
        b'{"data":[' + GOOD_ROW.replace(b"12.5", b"9" * 5_000) + b"]}",
        b'{"data":[' + GOOD_ROW.replace(b'"tuesday"', b'"\\ud800"') + b"]}",
        b'{"data":[' + GOOD_ROW[:-1] + f', "{AMOUNT}": "x"}}]}}'.encode(),
        b'\xef\xbb\xbf{"data": []}',
        '{"data": []}'.encode("utf-16"),
        b'{"data": [], "data": 5}',
        b'{"\xc2\x9b2J\xe2\x80\xae": 1}',
        json.dumps({"k" * 1_000_000: 1}).encode(),
        json.dumps({"input_data": {"columns": ["x" * 1_000_000], "data": [[1]]}}).encode(),
        json.dumps({str(number): number for number in range(50_000)}).encode(),
    ],
)
def test_odd_bodies_are_refused_in_a_short_printable_text(content: bytes) -> None:
    message = refusal(content)
    assert len(message) < 400
    assert printable(message) == message
    message.encode()


def test_numbers_need_not_be_of_the_rules_own_kind_and_texts_may_be_unknown() -> None:
    row = ROW | renamed({"amount": 3, "credit": 1.0, "day_of_week": "someday"})
    assert read_request(orjson.dumps({"data": [row]})).columns[named("day_of_week")] == ["someday"]


@pytest.mark.parametrize("field", FEATURES)
def test_a_missing_feature_is_named(field: str) -> None:
    columns = [name for name in FEATURES if name != field]
    lacking = {name: ROW[name] for name in columns}
    assert refusal({"input_data": table([ROW], columns)}).startswith(f"{field}: missing from input_data.columns")
    assert refusal({"data": [ROW, lacking]}).startswith(f"row 1: {field}: missing")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not JSON"),
        (b'{"data": [', "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[1]", "The body is [1]; expected an object with one of data, input_data"),
        ({}, "no key at all"),
        ({"rows": []}, '["rows"]; expected one of data'),
        ({"data": {"a": 1}}, "data is"),
        ({"data": [ROW, [1]]}, "row 1: expected an object, got [1]"),
        ({"data": ["amount"]}, 'row 0: expected an object, got "amount"'),
        ({"Inputs": {"input1": []}}, "WebServiceInput0"),
        ({"Inputs": []}, "WebServiceInput0"),
        ({"Inputs": {"WebServiceInput0": None}}, "WebServiceInput0 is null"),
        ({"input_data": [1]}, "columns and data"),
        ({"input_data": {"columns": ["amount"]}}, "columns and data"),
        ({"input_data": {"data": [[1]]}}, "input_data.columns is null"),
        ({"input_data": {"columns": [1], "data": [[1]]}}, "input_data.columns is [1]"),
        ({"dataframe_split": table([ROW], [*FEATURES, AMOUNT])}, f"{AMOUNT}: stands more than once"),
        (
            {"input_data": {"columns": list(FEATURES), "data": [list(ROW.values()), [1]]}},
            f"row 1: expected {len(FEATURES)} values",
        ),
        (
            {"input_data": {"columns": list(FEATURES), "data": [list(ROW.values()), "abcdefghijkl"]}},
            "row 1: expected a",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(content: Any, reason: str) -> None:
    assert reason in refusal(content)


MANY = 100  # rows, so that the body is looked at as a large one


def with_number(shape: str, count: int, field: str, written: str) -> bytes:
    """A body whose last row has the number so written."""
    rows = [ROW] * (count - 1) + [ROW | {field: 987654}]
    return json.dumps(body(shape, rows)).replace("987654", written).encode()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "written",
    ["0.30000000000000004", "0.12345678901234567890123", "9007199254740993", "1e-400", "5e-324", "1e22", "-0.0"],
)
def test_a_number_with_any_digits_is_the_nearest_double(shape: str, written: str) -> None:
    assert float(read_request(with_number(shape, 1, AMOUNT, written)).columns[AMOUNT][-1]) == float(written)


@pytest.mark.parametrize("count", [1, MANY])
@pytest.mark.parametrize("shape", ["data", "Inputs", "dataframe_records"])
@pytest.mark.parametrize(
    "again",
    [
        f'"{AMOUNT}": 99999',
        f'"\\u{ord(AMOUNT[0]):04x}{AMOUNT[1:]}" : 99999',
        f'"note": "a:b", "{named("day_of_week")}": "monday"',
    ],
)
def test_a_field_that_stands_twice_is_told_by_its_row(shape: str, count: int, again: str) -> None:
    rows = [ROW] * (count - 1) + [ROW | {"x": 987654}]
    content = json.dumps(body(shape, rows)).replace('"x": 987654', again).encode()
    field = AMOUNT if "99999" in again else named("day_of_week")
    assert refusal(content) == f"row {count - 1}: {field}: stands more than once; name each field once."


@pytest.mark.parametrize("count", [1, MANY])
@pytest.mark.parametrize("shape", SHAPES)
def test_what_no_feature_has_may_be_anything(shape: str, count: int) -> None:
    """Other fields may stand twice and have any number; texts may look like names and like numbers."""
    odd = {TIME: "24/11/2026 10:11:12", ID: 987654, "note": 'a "b": 1e-9, ":', "no": "1234567890123456789"}
    rows = [ROW | odd] * count
    if shape in ("input_data", "dataframe_split"):
        content = json.dumps({shape: table(rows, list(rows[0]))}).replace("987654", "1e-400")
    else:
        content = json.dumps(body(shape, rows)).replace("987654", f'1, "{ID}": 12345678901234567890123')
    read = read_request(content.encode())
    assert read.columns == {name: [row[name] for row in rows] for name in FEATURES}


@pytest.mark.parametrize("count", [1, MANY])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("separators", [(", ", ": "), (",", ":")])
@pytest.mark.parametrize("others", [{}, {ID: 123_456_789_012_345, TIME: "24/11/2026 10:11:12"}])
def test_a_usual_body_is_read_once(
    shape: str, count: int, separators: tuple[str, str], others: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [ROW | others | {AMOUNT: round(987654321098.76 / (number + 1), 2)} for number in range(count)]
    content = {shape: table(rows, list(rows[0]))} if "_split" in shape or shape == "input_data" else body(shape, rows)
    monkeypatch.setattr("fraudstream.scoring.bodies.require_names_once", lambda *_: pytest.fail("read again"))
    text = json.dumps(content, separators=separators, ensure_ascii=False)
    assert read_request(text.encode()).count == count


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"data":[],"data":[%b]}', "The body has data more than once; send it once."),
        (b'{"data":[%b],"input_data":5}', "The body has data and input_data; send the rows in one shape"),
        (b'{"Inputs":{"WebServiceInput0":[],"WebServiceInput0":[%b]}}', "Inputs has WebServiceInput0 more than once"),
        (b'{"Inputs":{},"Inputs":{"WebServiceInput0":[%b]}}', "The body has Inputs more than once"),
        (b'{"dataframe_records":[%b],"dataframe_records":[]}', "The body has dataframe_records more than once"),
    ],
)
def test_rows_are_sent_once(content: bytes, reason: str) -> None:
    assert refusal(content % GOOD_ROW).startswith(reason)


@pytest.mark.parametrize("twice", ["columns", "data"])
def test_a_table_has_its_parts_once(twice: str) -> None:
    text = json.dumps({"input_data": table([ROW])})
    content = text.replace(f'"{twice}":', f'"{twice}": [], "{twice}":')
    assert refusal(content.encode()) == f"input_data has {twice} more than once; send it once."


def test_a_body_that_is_nested_too_deeply_to_be_read_again_is_refused() -> None:
    content = b'{"data":[' + GOOD_ROW[:-1] + b',"x":1,"x":' + b"[" * 1015 + b"]" * 1015 + b"}]}"
    assert "nested too deeply" in refusal(content)


def test_only_the_shapes_asked_for_are_taken() -> None:
    with pytest.raises(ScoringRejected, match="expected one of dataframe_split, dataframe_records"):
        read_request(orjson.dumps({"data": [ROW]}), INVOCATION_SHAPES)


@pytest.mark.parametrize("scores", [np.array([0.1]), np.array([0.1, np.nan, 0.2]), np.zeros((3, 2))])
def test_a_model_that_gives_no_usable_scores_is_an_error(scores: np.ndarray) -> None:
    class Broken:
        threshold = 0.5

        def score_columns(self, columns: Any) -> np.ndarray:
            return scores

        def explain_columns(self, columns: Any, top: int = 3) -> list[list[dict[str, Any]]]:
            return []

    with pytest.raises(ModelError, match="Version 9 gave"):
        score(LoadedModel("9", Broken(), {}), read_request(orjson.dumps({"data": ROWS})))
