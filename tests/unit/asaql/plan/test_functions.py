"""The table of functions."""

from __future__ import annotations

import pytest

from fraudstream.asaql.plan.functions import FUNCTIONS, function, unknown_function, wrong_arity

pytestmark = pytest.mark.timeless

# The functions of the reference's pages, beside CAST and TRY_CAST, which have a syntax of their own.
DOCUMENTED = """
abs anomalydetection_changepoint anomalydetection_spikeanddip avg ceiling charindex coalesce collect collecttop concat
concat_ws count createlinestring createpoint createpolygon dateadd datediff datename datepart datetimefromparts day exp
floor getarrayelement getarrayelements getarraylength getmetadatapropertyvalue getrecordproperties
getrecordpropertyvalue gettype isfirst json_parse lag last left len lower ltrim max min month nchar nullif patindex
percentile_cont percentile_disc power regexmatch replace replicate reverse right round rtrim sign space sqrt square
st_distance st_intersects st_overlaps st_within stdev stdevp stuff substring sum topone translate trim unicode upper var
varp year
"""


def test_the_functions_of_the_reference_and_no_others() -> None:
    assert sorted(FUNCTIONS) == sorted(DOCUMENTED.split())


@pytest.mark.parametrize(
    ("name", "page"),
    [
        ("abs", "abs-azure-stream-analytics"),
        ("concat_ws", "concat-ws-azure-stream-analytics"),
        ("st_within", "st-within"),
        ("createpoint", "createpoint"),
        ("getmetadatapropertyvalue", "getmetadatapropertyvalue"),
    ],
)
def test_each_has_its_page(name: str, page: str) -> None:
    assert FUNCTIONS[name].page == page


def test_names_ignore_case_and_old_names_are_known() -> None:
    assert function("Substring") is FUNCTIONS["substring"]
    assert function("GetElements") is FUNCTIONS["getarrayelements"]
    assert function("nothing") is None


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("abs", [1]),
        ("charindex", [2, 3]),
        ("lag", [1, 2, 3]),
        ("count", [0, 1]),
        ("substring", [3]),
        ("datetimefromparts", [7]),
    ],
)
def test_a_call_takes_these_numbers_of_arguments(name: str, counts: list[int]) -> None:
    assert [count for count in range(12) if wrong_arity(FUNCTIONS[name], count) is None] == counts


@pytest.mark.parametrize(("name", "fewest"), [("concat", 2), ("createpolygon", 3), ("coalesce", 2), ("concat_ws", 2)])
def test_some_take_any_number_from_one_on(name: str, fewest: int) -> None:
    assert [count for count in range(12) if wrong_arity(FUNCTIONS[name], count) is None] == list(range(fewest, 12))


def test_a_wrong_number_is_told_with_the_right_one() -> None:
    assert wrong_arity(FUNCTIONS["len"], 2) == "LEN takes 1 argument, not 2: LEN(text)."
    assert wrong_arity(FUNCTIONS["charindex"], 1) == (
        "CHARINDEX takes 2 to 3 arguments, not 1: CHARINDEX(find, text, [start])."
    )
    assert (
        wrong_arity(FUNCTIONS["concat"], 0)
        == "CONCAT takes at least 2 arguments, not 0: CONCAT(first, second, [others], …)."
    )


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("Substrin", "Did you mean SUBSTRING?"),
        ("checksum", "udf.checksum(…)"),
        ("TumblingWindow", "stands in GROUP BY alone"),
        ("Duration", "stands nowhere else"),
        ("hour", "DATEPART(hour, date)"),
        ("First", "TopOne()"),
    ],
)
def test_an_unknown_name_comes_with_what_to_write(name: str, advice: str) -> None:
    assert advice in unknown_function(name)
