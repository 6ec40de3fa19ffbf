"""The language's page: what a query file may hold, each with an example, from the cases of the conformance suite."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path

from docs.makers.files import table

from tests.asaql.conformance import Case, cases, constructs

CASES = Path("tests/asaql/cases")
PAGE = Path("docs/reference/query-language.md")
_NOTE = "<!-- Made from the suite's cases by `python -m docs.makers --write`; change them there. -->"


def page(suite: Sequence[Case]) -> str:
    """A table of constructs for each part of the language, and what the reference leaves open."""
    sections = "\n\n".join(
        f"## {section}\n\n"
        + table(
            ("construct", "supported", "example"),
            [(row.name, "yes" if row.is_supported else "never", f"`{row.example}`") for row in rows],
        )
        for section, rows in itertools.groupby(constructs(suite), lambda row: row.section)
    )
    choices = table(("construct", "what is done"), [(case.construct, _sentence(case.name)) for case in _choices(suite)])
    return f"""{_NOTE}

# Query language

What a Stream Analytics query file (`*.asaql`) may hold here. Each row has cases in `tests/asaql/cases`: {len(suite)}
small queries with the rows that Microsoft's language reference promises. `never`: Stream Analytics has no such thing
either. The file is refused, and the error says what to write instead.

{sections}

## What no document says

The reference leaves these open. They are decided as T-SQL or .NET decides, where these have such a thing, and a case
pins each.

{choices}
"""


def generated(project: Path) -> dict[Path, str]:
    """The page as it should be. Raises ``ValueError`` for a case that lacks a part."""
    return {project / PAGE: page(cases(project / CASES))}


def _choices(suite: Sequence[Case]) -> list[Case]:
    return [case for case in suite if case.choice]


def _sentence(name: str) -> str:
    return f"{name[0].upper()}{name[1:]}"
