"""The suite itself: nothing of the language is left out, and no case hides another one."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from fraudstream.asaql.plan.functions import FUNCTIONS
from tests.asaql import conformance

CASES = conformance.cases()
_LEAST = 320


def test_it_is_large_enough() -> None:
    assert len(CASES) >= _LEAST


def test_names_are_unique() -> None:
    assert [name for name, count in Counter(case.name.casefold() for case in CASES).items() if count > 1] == []


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_function_has_a_normal_and_an_edge_case(function: str) -> None:
    of_it = [case for case in CASES if function in case.construct.casefold().split()]
    assert [case.name for case in of_it if not case.edge], function
    assert [case.name for case in of_it if case.edge], function


def test_each_construct_has_a_normal_and_an_edge_case() -> None:
    supported = [case for case in CASES if not case.never]
    normal = {case.construct for case in supported if not case.edge}
    edge = {case.construct for case in supported if case.edge}
    assert normal == edge


def test_what_the_language_lacks_is_always_an_error() -> None:
    lacking = [case for case in CASES if case.never]
    assert lacking
    assert [case.name for case in lacking if case.error is None] == []
    assert {case.construct for case in lacking}.isdisjoint(case.construct for case in CASES if not case.never)


def test_each_case_says_which_rule_it_follows() -> None:
    assert [case.name for case in CASES if not case.rule.strip()] == []


def test_rows_are_json_objects_and_one_time_is_given_for_each_line_with_an_arrival() -> None:
    for case in CASES:
        for text in (case.outputs or {}).values():
            assert all(isinstance(json.loads(line), dict) for line in conformance.lines(text)), case.id
        for name, text in case.arrival.items():
            assert len(conformance.lines(text)) == len(conformance.lines(case.inputs[name])), case.id


class TestDifference:
    def test_the_order_of_rows_and_of_fields_does_not_count(self) -> None:
        assert not conformance.difference({"o": '{"a":1,"b":2}\n{"a":3}'}, {"o": [{"a": 3}, {"b": 2, "a": 1}]})

    def test_a_row_that_comes_twice_counts_twice(self) -> None:
        assert conformance.difference({"o": '{"a":1}'}, {"o": [{"a": 1}, {"a": 1}]})

    def test_numbers_are_told_apart_by_their_kind(self) -> None:
        assert conformance.difference({"o": '{"a":8}'}, {"o": [{"a": 8.0}]})
        assert conformance.difference({"o": '{"a":1}'}, {"o": [{"a": True}]})

    def test_floats_are_equal_to_twelve_digits(self) -> None:
        assert not conformance.difference({"o": '{"a":0.3}'}, {"o": [{"a": 0.1 + 0.2}]})
        assert conformance.difference({"o": '{"a":0.3}'}, {"o": [{"a": 0.30000000001}]})

    def test_an_output_without_rows_may_be_missing(self) -> None:
        assert not conformance.difference({"o": ""}, {})
        assert conformance.difference({}, {"o": [{"a": 1}]})
