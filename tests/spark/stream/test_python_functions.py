"""Functions in Python in the job: what they get and give, and what becomes of one that fails, hangs or ends Python."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.project_files.folder import FunctionPlace, PythonPlace
from fraudstream.asaql.project_files.models import FunctionFile
from fraudstream.asaql.strategies import python_functions
from fraudstream.asaql.strategies.job_file import job_file
from fraudstream.asaql.strategies.job_query import JobQuery, compiled_query, job_query
from fraudstream.bench.job.equality import records_of
from fraudstream.core.contract.event import ID, PROJECT
from fraudstream.stream.query import StreamQuery, refusal
from fraudstream.stream.transformations import decide_here
from fraudstream.stream.windows import windows_hooks, windows_plan
from tests.events import value
from tests.spark.asaql.driven import Driven, Message, job_config
from tests.spark.asaql.test_live_times import clock

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.timeless]

SOURCE = r"""
from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass


@dataclass
class Told:
    kind: str


def nested(depth):
    whole = []
    for _ in range(depth):
        whole = [whole]
    return whole


def main(kind):
    if kind == "raises":
        raise ValueError("no such thing")
    if kind == "ends":
        os._exit(3)
    if kind == "hangs":
        subprocess.Popen(["sleep", "600"])
        time.sleep(600)
    if kind == "prints":
        print('{"results": ["forged"]}', flush=True)
        os.write(1, b'{"results": ["forged"]}\n')
        subprocess.run(["echo", "forged"])
        assert sys.stdin.readline() == ""
    if kind == "nests":
        return nested(100_000)
    if kind == "is odd":
        return object()
    if kind == "forges":
        return {"\0float": "no number"}
    if kind == "is large":
        return "x" * 3_000_000
    return {"kind": Told(kind).kind, "process": os.getpid(), "secret": os.environ.get("FRAUDSTREAM_SECRET")}
"""
QUERY = f"SELECT t.{ID} AS number, udf.Own(t.merchant) AS told INTO scored FROM transactions t"  # noqa: S608

Tell = Callable[[JobQuery, Sequence[object]], list[dict[str, Any]]]


def calling(folder: Path, text: str = QUERY, source: str = SOURCE) -> JobQuery:
    """A query that calls the function ``own``, which is in a file of the folder."""
    file = folder / "own.py"
    file.write_text(source, "utf-8")
    place = FunctionPlace(file, FunctionFile(Name="own"), None, PythonPlace(file, "", "main"))
    files = job_query(PROJECT).files
    project = replace(PROJECT, outputs=("counted",))
    return compiled_query(project, replace(files, text=text, functions=(*files.functions, place)))


@pytest.fixture
def tell(spark: SparkSession, tmp_path: Path) -> Tell:
    """The records that the job makes of events, in their order, each given by what the function gets."""

    def told(query: JobQuery, kinds: Sequence[object]) -> list[dict[str, Any]]:
        events = [value(id=number, merchant=kind) for number, kind in enumerate(kinds)]
        records = records_of(spark, events).coalesce(1)
        file = job_file(tmp_path / "query", query)
        return [json.loads(bytes(row["value"])) for row in decide_here(records, None, file).collect()]

    return told


def test_what_a_function_does_is_the_matter_of_one_record(
    tell: Tell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRAUDSTREAM_SECRET", "s3cret")
    monkeypatch.setattr(python_functions, "CALL_SECONDS", 1)
    expected = {
        "raises": r"udf\.Own stopped: ValueError: no such thing \(.*own\.py:\d+\)\.",
        "ends": r"udf\.Own stopped: Python has ended \(its output is closed, exit status 3\)\..*by itself to see why\.",
        "hangs": r"udf\.Own stopped: Python has ended \(it gave no answer within 1 seconds\)\.",
        "nests": r"udf\.Own stopped: RecursionError: ",
        "is odd": r"udf\.Own stopped: TypeError: it returns object, which is none of NULL",
        "forges": r"udf\.Own returns what cannot be read: ",
    }
    kinds = ["first", *(kind for failing in expected for kind in (failing, f"after {failing}")), "prints", None, 4.5]
    records = tell(calling(tmp_path), kinds)
    assert len(records) == len(kinds)
    for number, (kind, record) in enumerate(zip(kinds, records, strict=True)):
        if kind in expected:
            place = f"column {QUERY.index('udf') + 1}"
            assert re.match(rf"query: {expected[kind]}.* \(line 1, {place}\)$", record["reason"], re.DOTALL), record
            assert record["field"] == "query"
            assert json.loads(base64.b64decode(record["raw_base64"]))["merchant"] == kind
        else:
            assert record["told"] | {"process": 0} == {"kind": kind, "process": 0, "secret": None}
            assert record["number"] == number


def test_a_result_that_no_topic_takes_is_rejected(tell: Tell, tmp_path: Path) -> None:
    (record,) = tell(calling(tmp_path), ["is large"])
    assert "a record of 3000" in record["reason"]


def test_a_process_that_somebody_ended_is_replaced_and_no_record_is_blamed(tell: Tell, tmp_path: Path) -> None:
    query = calling(tmp_path)
    (before,) = tell(query, ["before"])
    (again,) = tell(query, ["again"])
    assert again["told"]["process"] == before["told"]["process"]
    os.kill(before["told"]["process"], signal.SIGKILL)
    (after,) = tell(query, ["after"])
    assert after["told"]["process"] != before["told"]["process"]


def test_a_function_that_hung_has_left_no_process(tell: Tell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python_functions, "CALL_SECONDS", 1)
    marked = SOURCE.replace('"600"', '"601.25"')
    tell(calling(tmp_path, source=marked), ["hangs"])
    until = time.monotonic() + 10
    while any(b"601.25" in command.read_bytes() for command in readable(Path("/proc").glob("[0-9]*/cmdline"))):
        assert time.monotonic() < until
        time.sleep(0.05)


def readable(files: Any) -> list[Path]:
    """Those of processes that are still there."""
    kept = []
    for file in files:
        try:
            file.read_bytes()
        except OSError:
            continue
        kept.append(file)
    return kept


def test_a_file_that_changes_while_the_job_runs_changes_nothing(tell: Tell, tmp_path: Path) -> None:
    query = calling(tmp_path, source="def main(kind): return 'as it was at the start'")
    (first,) = tell(query, ["x"])
    (tmp_path / "own.py").write_text("def main(kind): return 'changed'")
    file = tmp_path / "query"
    assert [record["told"] for record in (first,)] == ["as it was at the start"]
    # The compiled query is what a process is started from, also a later one.
    (content,) = [json.loads(path.read_text()) for path in file.glob("*.json")]
    assert content["rows"]["python"]["worker"]["functions"]["Own"]["text"].endswith("'as it was at the start'")


def test_a_result_of_nothing_is_null(tell: Tell, tmp_path: Path) -> None:
    text = f"{QUERY} WHERE udf.Own(t.merchant) IS NOT NULL"
    source = "def main(kind):\n    return kind if kind == 'kept' else None"
    (record,) = tell(calling(tmp_path, text, source), ["dropped", "kept", "dropped"])
    assert record["told"] == "kept"


def test_what_a_function_imports_may_take_longer_than_a_call(
    tell: Tell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(python_functions, "CALL_SECONDS", 1)
    (record,) = tell(calling(tmp_path, source="import time\ntime.sleep(2)\ndef main(kind): return kind"), ["x"])
    assert record["told"] == "x"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("import no_such_module", "udf.Own cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'"),
        ("def main(:", "udf.Own cannot be loaded: SyntaxError: "),
        ("def other(): pass", "udf.Own cannot be loaded: AttributeError: "),
        ("main = 4", "udf.Own cannot be loaded: TypeError: main is int and no function"),
        ("import os; os._exit(4)", "Python ended while it loaded the functions (its output is closed, exit status 4)"),
    ],
)
def test_a_function_that_cannot_be_loaded_is_told_before_the_first_record(
    tell: Tell, tmp_path: Path, source: str, problem: str
) -> None:
    query = calling(tmp_path, source=source)
    with pytest.raises(Exception, match="the query cannot be run") as error:
        tell(query, ["x"])
    refused = refusal(error.value, StreamQuery(compiled=query))
    assert isinstance(refused, QueryError)
    assert problem in str(refused)


WINDOW = (
    "SELECT udf.own(t.merchant).kind AS kind, COUNT(*) AS events INTO counted FROM transactions t"
    " GROUP BY udf.own(t.merchant).kind, TumblingWindow(second, 10)"
)


def test_windows_call_them_too(spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python_functions, "CALL_SECONDS", 1)
    query = calling(tmp_path, text=WINDOW)
    assert query.named("windows") == ("counted",)
    plan = windows_plan(query)
    # No Kafka is there.
    hooks = replace(windows_hooks(query, plan, tmp_path / "none.json"), rejected_topic=None)
    driven = Driven(spark, tmp_path, WINDOW, {"transactions": 1}, job_config(), plan=plan, hooks=hooks)
    kinds = ["a", "b", "raises", "a", "hangs", "b", "a", "ends"]
    messages = [
        Message("transactions", 0, number, clock(1 + number), value(id=number, merchant=kind))
        for number, kind in enumerate(kinds)
    ]
    driven.batch(0, messages[:5])
    assert driven.progress is not None
    assert driven.progress.set_aside == 1
    # From the files alone: functions are called for the same rows once more.
    driven.forget()
    rows = [*driven.batch(1, messages[5:]), *driven.batch(2, [], clock(100))]
    assert sorted(text for _, text in rows) == ['{"kind":"a","events":3}', '{"kind":"b","events":2}']
    assert driven.progress.set_aside == 2
    driven.forget()


def test_a_state_belongs_to_the_functions_that_it_was_made_with(tmp_path: Path) -> None:
    topics = {"transactions": "transactions"}
    first, same, other = (
        windows_plan(calling(tmp_path, text=WINDOW, source=source)).fingerprint(topics)
        for source in (SOURCE, SOURCE, SOURCE.replace("no such thing", "nothing"))
    )
    assert first == same != other
