"""From text to plan: levels, files, and nothing but errors at a place."""

from __future__ import annotations

import pytest

from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.plan.compiling import bind, compile_text
from fraudstream.asaql.text.parser import parse

pytestmark = pytest.mark.timeless


def test_errors_name_the_file_the_line_and_the_column() -> None:
    with pytest.raises(QueryError) as error:
        compile_text("SELECT a\nFROM Input\nWHERE COUNT(*) > 1", "fraud.asaql")
    assert str(error.value).startswith("fraud.asaql:3:7: The aggregate COUNT stands in WHERE.")
    assert (error.value.line, error.value.column, error.value.file) == (3, 7, "fraud.asaql")


def test_levels_and_dialects_are_in_the_plan() -> None:
    plan = bind(parse("SELECT a FROM Input"), level="1.1", dialect="fabric").to_json()
    assert (plan["level"], plan["dialect"]) == ("1.1", "fabric")
    with pytest.raises(QueryError, match="There is no compatibility level 2"):
        compile_text("SELECT a FROM Input", level="2")


@pytest.mark.parametrize("depth", [50, 400, 20_000])
def test_deep_nesting_ends_with_a_plan_or_an_error(depth: int) -> None:
    nested = "ABS(" * depth + "a" + ")" * depth
    try:
        compile_text(f"SELECT {nested} AS x FROM Input").to_json()
    except QueryError as error:
        assert "deep" in str(error)  # noqa: PT017
