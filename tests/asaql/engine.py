"""Cases through the compiler and the engine: all of them in one process of Java."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.plan.compiling import compile_text
from fraudstream.core.process import environment
from fraudstream.runtime.parts import jvm_libraries
from fraudstream.runtime.parts.java import find_java
from tests.asaql.conformance import Case

_RUN_SECONDS = 300

Outcome = Mapping[str, Any]


def outcomes(cases: Iterable[Case], folder: Path) -> dict[str, Outcome]:
    """By the case's id, what :func:`run` gives for it; a query that does not compile has an error, too."""
    outcome_by_id: dict[str, Outcome] = {}
    to_run = []
    for case in cases:
        try:
            plan = compile_text(case.query, "case.asaql", references=tuple(case.reference), level=case.level)
        except QueryError as error:
            outcome_by_id[case.id] = {"error": {"message": str(error), "line": error.line, "column": error.column}}
        else:
            to_run.append(case.to_run(plan.to_json()))
    return outcome_by_id | run(to_run, folder)


def run(cases: Sequence[Mapping[str, Any]], folder: Path) -> dict[str, Outcome]:
    """By the case's name, ``{"outputs": {name: rows}}`` or ``{"error": {"message", "line", "column"}}``.

    Raises ``CalledProcessError`` where the engine itself fails.
    """
    file = folder / "cases.json"
    file.write_text(json.dumps({"cases": cases}), "utf-8")
    answers = (json.loads(line) for line in _printed(file).split("\n") if line)
    return {answer["name"]: answer for answer in answers}


def _printed(file: Path) -> str:
    # The engine with what runs scripts.
    library = jvm_libraries.JAVASCRIPT
    class_path = [jvm_libraries.ensure(library), *library.class_path()]
    words = [str(find_java().executable), "-XX:+UseSerialGC", "-Dfile.encoding=UTF-8"]
    words += ["-cp", os.pathsep.join(map(str, class_path)), "fraudstream.query.engine.Cases", str(file)]
    return subprocess.run(
        words,
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        timeout=_RUN_SECONDS,
        env=environment.made(os.environ),
    ).stdout
