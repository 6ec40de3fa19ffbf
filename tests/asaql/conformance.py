"""The conformance suite: small queries with the rows that the language's documents promise.

``cases/*.toml`` hold them, one file for each part of the language. Expectations follow from documents, never from what
the engine gives. Cases marked ``choice`` pin what no document says.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "cases"
# The files in the order of the language's page, and what each part is called there.
SECTIONS = {
    "select": "SELECT",
    "names": "Names",
    "types": "Types",
    "nulls": "NULL",
    "operators": "Operators and conditions",
    "case": "CASE",
    "cast": "Conversion",
    "texts": "Text functions",
    "regular_expressions": "Regular expressions",
    "math": "Mathematical functions",
    "dates": "Date and time functions",
    "records": "Records and metadata",
    "arrays": "Arrays",
    "apply": "APPLY",
    "geospatial": "Geospatial functions",
    "timestamps": "Time",
    "windows_tumbling": "GROUP BY and tumbling windows",
    "windows_hopping": "Hopping windows",
    "windows_sliding": "Sliding windows",
    "windows_session": "Session windows",
    "windows_snapshot": "Snapshot windows",
    "windows_sets": "Sets of windows",
    "aggregates": "Aggregates",
    "having": "HAVING",
    "analytic_lag": "LAG",
    "analytic_last": "LAST",
    "isfirst": "ISFIRST",
    "aggregates_over": "Aggregates with OVER",
    "anomalies": "Anomaly functions",
    "joins_stream": "Joins of streams",
    "joins_left": "LEFT JOIN",
    "joins_reference": "Reference data",
    "union": "UNION",
    "with_steps": "WITH",
    "outputs": "Outputs",
    "partition_by": "PARTITION BY",
    "create_table": "CREATE TABLE",
    "match_recognize": "MATCH_RECOGNIZE",
    "compatibility": "Compatibility levels",
    "lexical": "The text of a file",
    "errors_compile": "What is refused",
    "errors_run": "What stops a query",
    "user_functions": "User functions",
    "patterns": "Common patterns",
}
_DIGITS = 12
_INVISIBLE = dict.fromkeys(map(ord, "\ufeff\u200b"))

Rows = Mapping[str, str]
# Reference data: its lines, or its lines by the time from which they hold.
Reference = Mapping[str, str | Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Case:
    """A query, its input, and either its outputs or a part of its error's message.

    Inputs, references and outputs are JSON lines by name. ``arrival`` holds one ISO time for each line of an input;
    with it lateness counts, by ``policy``. ``functions`` holds scripts by kind and name. ``line`` and ``column`` count
    from 1. ``never``: the language lacks it.
    """

    file: str
    name: str
    construct: str
    rule: str
    query: str
    inputs: Rows = field(default_factory=dict)
    reference: Reference = field(default_factory=dict)
    arrival: Rows = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)
    functions: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    outputs: Rows | None = None
    error: str | None = None
    line: int | None = None
    column: int | None = None
    level: str = "1.2"
    edge: bool = False
    choice: bool = False
    never: bool = False

    def __post_init__(self) -> None:
        if (self.outputs is None) == (self.error is None):
            raise ValueError(f"{self.id} needs either outputs or an error")

    @property
    def id(self) -> str:
        """The file and the name: what pytest calls the case."""
        return f"{self.file}: {self.name}"

    def to_run(self, plan: Mapping[str, Any]) -> dict[str, Any]:
        """The case with its plan, as the engine's ``Cases`` reads it."""
        read = {entry["name"].casefold() for entry in plan["inputs"]}
        run: dict[str, Any] = {
            "name": self.id,
            "plan": plan,
            "inputs": {name: lines(text) for name, text in self.inputs.items() if name.casefold() in read},
            "references": {name: _versions(rows) for name, rows in self.reference.items() if name.casefold() in read},
        }
        if self.functions:
            run["functions"] = self.functions
        if self.arrival:
            run |= {"arrivals": {name: lines(text) for name, text in self.arrival.items()}, "policy": dict(self.policy)}
        return run


@dataclass(frozen=True, slots=True)
class Construct:
    """A row of the language's page; ``example`` is a query on one line."""

    section: str
    name: str
    is_supported: bool
    example: str


def cases(folder: Path = FOLDER) -> list[Case]:
    """All cases, in the order of the sections and of the lines. Raises ``ValueError`` for a case that lacks a part."""
    files = sorted(folder.glob("*.toml"), key=lambda file: list(SECTIONS).index(file.stem))
    return [case for file in files for case in _read(file)]


def constructs(examples: Sequence[Case]) -> list[Construct]:
    """Each construct once, in the order of the cases, with its shortest normal query for an example."""
    by_name: dict[str, list[Case]] = {}
    for case in examples:
        by_name.setdefault(case.construct, []).append(case)
    return [
        Construct(SECTIONS[of_it[0].file], name, not of_it[0].never, _example(of_it)) for name, of_it in by_name.items()
    ]


def lines(text: str) -> list[str]:
    """The lines that hold anything."""
    return [line for line in text.split("\n") if line.strip()]


def difference(expected: Rows, given: Mapping[str, Sequence[Any]]) -> str:
    """What differs between the rows of all outputs, whatever their order; nothing if they are equal.

    Numbers are equal in value and kind, floats to 12 digits. An output without rows may be missing.
    """
    differences = []
    for name in sorted({*expected, *given}):
        wanted = Counter(comparable(json.loads(line)) for line in lines(expected.get(name, "")))
        got = Counter(comparable(row) for row in given.get(name, ()))
        differences += [f"{name} lacks {row}" for row in (wanted - got).elements()]
        differences += [f"{name} has   {row}" for row in (got - wanted).elements()]
    return "\n".join(differences)


def comparable(value: Any) -> str:
    """A JSON value as a text that is the same for equal values, whatever the order of their fields."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)}: {comparable(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(comparable(element) for element in value) + "]"
    if isinstance(value, float):
        rounded = repr(float(f"{value:.{_DIGITS}g}"))
        return "0.0" if rounded == "-0.0" else rounded
    return json.dumps(value, ensure_ascii=False)


def _versions(rows: str | Mapping[str, str]) -> list[str] | dict[str, list[str]]:
    return lines(rows) if isinstance(rows, str) else {time: lines(text) for time, text in rows.items()}


def _example(of_it: Sequence[Case]) -> str:
    queries = [" ".join(case.query.translate(_INVISIBLE).split()) for case in of_it if not case.edge]
    return min(queries, key=len)


def _read(file: Path) -> Iterable[Case]:
    content = tomllib.loads(file.read_text("utf-8"))
    defaults = content.get("defaults", {})
    for entry in content["case"]:
        parts = dict(entry)
        for part in ("inputs", "reference"):
            parts[part] = defaults.get(part, {}) | parts.get(part, {})
        yield Case(file=file.stem, **parts)
