from __future__ import annotations

from pathlib import Path

import pytest
from docs.makers import query_language

pytestmark = pytest.mark.timeless

CASES = '''
[[case]]
name = "a column"
construct = "SELECT"
rule = "SELECT page"
query = """
SELECT a
FROM Input
"""
[case.outputs]
output = ""

[[case]]
name = "the same column twice is one"
construct = "SELECT"
rule = "not documented"
edge = true
choice = true
query = "SELECT a, a FROM Input"
[case.outputs]
output = ""

[[case]]
name = "TOP is refused"
construct = "TOP | LIMIT"
rule = "none"
never = true
query = "SELECT TOP 1 a FROM Input"
error = "TOP"
'''


def test_the_page_has_a_row_for_each_construct(tmp_path: Path) -> None:
    folder = tmp_path / query_language.CASES
    folder.mkdir(parents=True)
    (folder / "select.toml").write_text(CASES, "utf-8")

    ((file, text),) = query_language.generated(tmp_path).items()

    assert file == tmp_path / "docs/reference/query-language.md"
    assert "| SELECT | yes | `SELECT a FROM Input` |" in text
    assert "| TOP \\| LIMIT | never | `SELECT TOP 1 a FROM Input` |" in text
    assert "| SELECT | The same column twice is one |" in text
