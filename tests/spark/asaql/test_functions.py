"""Functions that are no scripts: the registered champion, and functions in Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fraudstream.asaql.compiling import compiled
from fraudstream.asaql.errors import QueryStopped
from fraudstream.asaql.project_files.folder import FunctionPlace, PythonPlace, QueryProject
from fraudstream.asaql.project_files.models import FunctionFile, InputFile
from fraudstream.asaql.running.bindings import bound
from fraudstream.asaql.running.job import run_query
from fraudstream.asaql.running.session import QuerySession
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import AMOUNT, FEATURES, plain_inputs
from fraudstream.core.errors import ConfigurationError, ModelError
from tests.champions import register_stump

pytestmark = pytest.mark.spark

SPLIT = 50.0


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    address = f"sqlite:///{tmp_path / 'mlflow.db'}"
    monkeypatch.setenv("FRAUDSTREAM_MLFLOW_TRACKING_URI", address)
    return Settings(mlflow_tracking_uri=address)


def rows(
    session: QuerySession, tmp_path: Path, text: str, records: list[dict[str, Any]], *functions: FunctionPlace
) -> list[Any]:
    """The rows of the only output of a query on the records of its only input."""
    project = QueryProject("q", tmp_path, tmp_path / "q.asaql", text, functions=functions)
    query = compiled(project)
    file = tmp_path / "records.jsonl"
    file.write_text("".join(f"{json.dumps(record)}\n" for record in records), "utf-8")
    (stream,) = query.streams
    target = tmp_path / "out"
    target.mkdir(exist_ok=True)
    report = run_query(session, query, {stream: bound(stream, (file,), InputFile())}, target)
    return report.outputs[0].values()


def test_score_is_the_registered_champion(session: QuerySession, settings: Settings, tmp_path: Path) -> None:
    assert FEATURES[0] == AMOUNT
    query = "SELECT r.n, udf.score(r) AS decision INTO o FROM records r"
    with pytest.raises(ModelError, match=r"udf\.score is the champion, and 'fraud' has none yet\. Train one"):
        rows(session, tmp_path, query, [plain_inputs()])
    version = register_stump(settings, tmp_path / "model", SPLIT)
    given = [
        plain_inputs() | {"n": 1, AMOUNT: 49.5},
        plain_inputs() | {"n": 2, AMOUNT: 50},
        {"n": 3, "Amount".upper(): 80},
        plain_inputs() | {"n": 4, AMOUNT: None},
        {"n": 5},
    ]
    decided = {row["n"]: row["decision"] for row in rows(session, tmp_path, query, given)}
    assert {n: decision["prediction"] for n, decision in decided.items()} == {1: 0, 2: 1, 3: 1, 4: 0, 5: 0}
    assert decided[2].keys() == {"prediction", "score", "threshold", "model_version", "reasons"}
    assert decided[2]["score"] == pytest.approx(0.8808, abs=1e-4)
    assert (decided[2]["threshold"], decided[2]["model_version"]) == (0.5, version)
    assert [reason["field"] for reason in decided[2]["reasons"]] == [AMOUNT]
    assert decided[1]["reasons"] == []
    with pytest.raises(QueryStopped, match=rf"q\.asaql:1:13: udf\.score: the model's input {AMOUNT} is a number, not "):
        rows(session, tmp_path, query, [plain_inputs() | {AMOUNT: "12"}])
    with pytest.raises(QueryStopped, match=r"takes a record with the model's inputs, not the bigint 3"):
        rows(session, tmp_path, "SELECT udf.score(r.n) AS d INTO o FROM records r", [{"n": 3}])


PYTHON = """
import os

CALLS = []

def main(value, other=None):
    CALLS.append(value)
    print("not an answer")
    if value == "bad":
        raise ValueError("no such thing")
    return {"given": value, "type": type(value).__name__, "calls": len(CALLS), "secret": os.environ.get("SECRET")}
"""


def python(tmp_path: Path, name: str, module: str = "", function: str = "main") -> FunctionPlace:
    file = None if module else tmp_path / "functions.py"
    if file is not None:
        file.write_text(PYTHON, "utf-8")
    return FunctionPlace(tmp_path / name, FunctionFile(Name=name), None, PythonPlace(file, module, function))


def test_functions_in_python_run_where_somebody_allows_it(
    session: QuerySession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "s3cret")
    own, root = python(tmp_path, "own"), python(tmp_path, "root", "math", "sqrt")
    query = "SELECT r.n, udf.Own(r.v) AS v, udf.root(r.n) AS root INTO o FROM records r"
    values = [1, 1.5, True, None, "x", {"a": [1, {"b": None}]}, [], "x"]
    given = [{"n": n, "v": value} for n, value in enumerate(values)]
    with pytest.raises(ConfigurationError, match=r"calls udf\.own, udf\.root, written in Python.*give --python"):
        rows(session, tmp_path, query.lower(), given, own, root)
    session.allows_python = True
    answered = {row["n"]: row for row in rows(session, tmp_path, query, given, own, root)}
    assert [answered[n]["v"]["given"] for n in range(len(values))] == values
    types = ["int", "float", "bool", "NoneType", "str", "dict", "list", "str"]
    assert [answered[n]["v"]["type"] for n in range(len(values))] == types
    assert answered[4]["root"] == 2.0
    # A call with the same arguments is made once, and the process has none of our secrets.
    assert answered[4]["v"] == answered[7]["v"]
    assert {row["v"]["secret"] for row in answered.values()} == {None}
    with pytest.raises(QueryStopped, match=r"q\.asaql:1:13: udf\.Own stopped: ValueError: no such thing \(.*functions"):
        rows(session, tmp_path, query, [{"n": 1, "v": "bad"}], own, root)
    moments = "SELECT udf.own(System.Timestamp()) AS v INTO o FROM records r TIMESTAMP BY r.t"
    (moment,) = rows(session, tmp_path, moments, [{"t": "2026-01-31T12:00:00.5Z"}], own)
    assert (moment["v"]["type"], moment["v"]["given"]) == ("datetime", "2026-01-31T12:00:00.5000000Z")


def test_the_case_that_init_writes_passes(tmp_path: Path) -> None:
    """Another project than the one in force here: the command puts it in force by itself."""
    lines = ["tx_id,made_at,amount,kind,is_fraud"]
    lines += [
        f"t{row},2026-01-{1 + row // 24:02d} {row % 24:02d}:00:00,{5 + row % 90},{'ab'[row % 2]},{int(row % 10 == 3)}"
        for row in range(200)
    ]
    (tmp_path / "rows.csv").write_text("\n".join(lines), "utf-8")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("FRAUDSTREAM_")},
        "FRAUDSTREAM_MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path / 'mlflow.db'}",
        "FRAUDSTREAM_DATA_DIR": str(tmp_path / "data"),
    }

    def call(*words: str, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *words]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path, env=environment | more
        )

    done = call("-m", "fraudstream.runtime", "init", "own", "--from", "rows.csv")
    assert done.returncode == 0, done.stderr
    register = (
        "import sys; from pathlib import Path; from fraudstream.core.configuration.settings import load_settings; "
        f"sys.path.insert(0, {str(Path(__file__).parents[3])!r}); from tests.champions import register_stump; "
        "register_stump(load_settings(), Path('model'), 7)"
    )
    done = call("-c", register, FRAUDSTREAM_PROJECT=str(tmp_path / "own"))
    assert done.returncode == 0, done.stderr
    done = call("-m", "fraudstream.runtime", "query", "test", "own", "--output-dir", "out")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 of 1 passed" in done.stdout
    alerts = (tmp_path / "out" / "the first events" / "alerts.json").read_text("utf-8").splitlines()
    assert [json.loads(line)["tx_id"] for line in alerts] == ["t2", "t3", "t4"]
