"""Functions in Python of a project's job: what the Java side is told of them, and who has to allow them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.project_files.folder import FunctionPlace, PythonPlace
from fraudstream.asaql.project_files.models import FunctionFile
from fraudstream.asaql.strategies.job_file import job_json
from fraudstream.asaql.strategies.job_query import JobQuery, compiled_query, job_query
from fraudstream.asaql.strategies.python_functions import CALL_SECONDS, calls_python, require_python_allowed
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import ID, PROJECT
from fraudstream.core.errors import ConfigurationError
from fraudstream.stream.query import StreamQuery, stream_query

FILES = job_query(PROJECT).files


def calling(place: PythonPlace, call: str = "udf.Own(t.x)") -> JobQuery:
    """A query with a call of the function ``own``, which is at a place."""
    function = FunctionPlace(Path("own.json"), FunctionFile(Name="own"), None, place)
    text = f"SELECT t.{ID},\n{call} AS told INTO scored FROM transactions t"
    return compiled_query(PROJECT, replace(FILES, text=text, functions=(*FILES.functions, function)))


def python_of(query: JobQuery) -> dict[str, Any] | None:
    described: dict[str, Any] | None = json.loads(job_json(query))["rows"]["python"]
    return described


def test_a_function_of_a_file_comes_with_its_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDSTREAM_SCORING_KEY", "s3cret")
    file = tmp_path / "own.py"
    file.write_bytes("# coding: latin-1\ndef main(x): return 'é'\n".encode("latin-1"))
    described = python_of(calling(PythonPlace(file, "", "main")))
    assert described is not None
    own = described["worker"]["functions"]["Own"]
    assert (own["file"], own["function"], own["text"]) == (
        str(file),
        "main",
        "# coding: latin-1\ndef main(x): return 'é'\n",
    )
    assert (described["names"], described["seconds"]) == (["Own"], CALL_SECONDS)
    assert "s3cret" not in json.dumps(described)


def test_a_function_of_a_module_is_named() -> None:
    described = python_of(calling(PythonPlace(None, "math", "sqrt")))
    assert described is not None
    assert described["worker"]["functions"] == {"Own": {"file": "", "module": "math", "function": "sqrt"}}


def test_a_function_that_nothing_calls_is_not_there() -> None:
    query = calling(PythonPlace(None, "math", "sqrt"), "1")
    assert python_of(query) is None
    assert not calls_python(query)
    require_python_allowed(query, is_allowed=False)


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"# coding: nonsense\n"])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "own.py"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"own\.py"):
        job_json(calling(PythonPlace(file, "", "main")))


def test_somebody_has_to_allow_functions_in_python(tmp_path: Path) -> None:
    query = calling(PythonPlace(None, "math", "sqrt"))
    with pytest.raises(QueryError, match=r"asaql:2:1: udf\.Own is in Python.*set FRAUDSTREAM_QUERY_PYTHON=true"):
        stream_query(query, Settings(data_dir=tmp_path))
    allowed = stream_query(query, Settings(data_dir=tmp_path, query_python=True))
    assert allowed.has_python
    assert not StreamQuery().has_python
