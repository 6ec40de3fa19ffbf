"""The project's query as the stream job is given it: compiled aside, and refused before anything is read."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.strategies.job_query import JobQuery, compiled_query, job_query
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import PROJECT
from fraudstream.stream import query
from fraudstream.stream.query import PLAIN, Compiling, StreamQuery, refusal, stream_query


def of(text: str) -> JobQuery:
    return compiled_query(PROJECT, replace(job_query(PROJECT).files, text=text))


def test_the_query_is_compiled_in_a_thread_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[threading.Thread] = []

    def compiled(project: object) -> JobQuery:
        threads.append(threading.current_thread())
        return job_query(PROJECT)

    monkeypatch.setattr(query, "job_query", compiled)
    given = Compiling().result(Settings(data_dir=tmp_path))
    assert threads[0] is not threading.current_thread()
    assert given.topics == ("scored", "alerts", "rejected")
    assert given.file is not None
    assert json.loads(given.file.read_text())["alerts"] == "alerts"
    assert given.file.parent == tmp_path / "spark" / "query"


def test_what_does_not_compile_is_raised_where_the_query_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query, "job_query", lambda _: of("SELECT id\nFORM transactions"))
    compiling = Compiling()
    with pytest.raises(QueryError, match=r"fraud\.asaql:2:6"):
        compiling.result(Settings(data_dir=tmp_path))


def test_a_query_that_scores_and_rejects_alone_runs_as_without_a_file(tmp_path: Path) -> None:
    canonical = job_query(PROJECT)
    scored, _, rejected = canonical.outputs
    plain = replace(canonical, outputs=(scored, rejected))
    assert stream_query(plain, Settings(data_dir=tmp_path)) is PLAIN
    assert not (tmp_path / "spark").exists()


def test_what_the_service_cannot_answer_is_refused_at_the_start(tmp_path: Path) -> None:
    scores = of("SELECT udf.score(t, 1) AS decision INTO scored FROM transactions t")
    assert stream_query(scores, Settings(data_dir=tmp_path, scoring="embedded")).scores
    with pytest.raises(QueryError, match=r"udf\.score is given something else"):
        stream_query(scores, Settings(data_dir=tmp_path, scoring="remote"))


def test_what_the_engine_refuses_is_told_with_its_place_in_the_file() -> None:
    error = RuntimeError(
        "java.lang.IllegalStateException: fraudstream: the query cannot be run: 3:14: udf.f has no function"
        " main.\n\tat fraudstream.query.job.ProjectQuery.read(ProjectQuery.java:72)"
    )
    own = StreamQuery(compiled=job_query(PROJECT))
    message = refusal(error, own)
    assert message is not None
    assert (message.line, message.column, message.reason) == (3, 14, "udf.f has no function main.")
    assert refusal(RuntimeError("Connection refused"), own) is None
    assert refusal(error, PLAIN) is None
