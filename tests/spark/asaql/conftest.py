"""A session for queries in the tests' Spark, and short ways to run one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fraudstream.asaql.compiling import compiled
from fraudstream.asaql.project_files.folder import QueryProject
from fraudstream.asaql.project_files.models import InputFile
from fraudstream.asaql.running.bindings import bound
from fraudstream.asaql.running.job import run_query
from fraudstream.asaql.running.report import RunReport
from fraudstream.asaql.running.session import QuerySession

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Run = Callable[..., RunReport]


@pytest.fixture
def session(spark: SparkSession, tmp_path: Path) -> QuerySession:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return QuerySession(spark.sparkContext, scratch)


@pytest.fixture
def run(session: QuerySession, tmp_path: Path) -> Run:
    """Run a query's text on contents, each a file of its own or several: ``run(text, Input=["…"])``."""

    def run_text(
        text: str,
        inputs: Mapping[str, Sequence[Path]],
        references: Sequence[str] = (),
        described: Mapping[str, InputFile] | None = None,
    ) -> RunReport:
        project = QueryProject("q", tmp_path, tmp_path / "q.asaql", text)
        query = compiled(project, references=references)
        described = described or {}
        bindings = {
            name: bound(name, tuple(inputs[name]), described.get(name, InputFile()))
            for name in (*query.streams, *query.references)
        }
        return run_query(session, query, bindings, Path(tempfile.mkdtemp(dir=tmp_path)))

    return run_text
