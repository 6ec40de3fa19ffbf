"""Files in the shapes of public fraud data become projects by themselves, and each of their rows an event."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest
import typer
from typer.testing import CliRunner

from fraudstream.core.contract.field_rules import leaves
from fraudstream.core.contract.gate import Gate
from fraudstream.core.contract.topics import MAX_EVENT_BYTES
from fraudstream.core.project.project import Project, read_project
from fraudstream.core.project.reserved import RESERVED_FIELDS
from fraudstream.generator.files.source import FileSource
from fraudstream.generator.onboarding.cli import init
from tests.shapes import FRAUD_SHARE, SHAPES, Shape

ROWS = 1_000


class Begun(NamedTuple):
    """What ``fraudstream init`` made of a file, and reported."""

    shape: Shape
    project: Project
    report: dict[str, Any]


@pytest.fixture(scope="module", params=list(SHAPES))
def begun(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Begun:
    shape, folder = SHAPES[request.param], tmp_path_factory.mktemp(request.param)
    file = shape.make(folder, ROWS)
    app = typer.Typer()
    app.command()(init)
    done = CliRunner().invoke(app, [str(folder / "own"), "--from", str(file), "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return Begun(shape, read_project(folder / "own"), json.loads(done.stdout))


def test_it_guesses_what_the_columns_are_for(begun: Begun) -> None:
    shape, project, report = begun
    roles = project.definition.event
    assert (roles.time, roles.amount, roles.label) == (shape.time, shape.amount, shape.label)
    assert (shape.id, project.definition.source.id) in ((roles.id, None), (None, "row"))
    assert set(shape.entities) <= set(roles.entities)
    assert set(report["leaks"]) == set(shape.leaks)
    assert not set(shape.leaks) & set(project.definition.model.inputs)
    # A made id is no column.
    assert len(list(leaves(project.rules))) == shape.columns + (shape.id is None)
    assert 3 <= len(project.definition.dimensions.fields) + len(project.definition.dimensions.times) + 1 <= 12


def test_each_row_is_an_event_of_the_contract(begun: Begun) -> None:
    _, project, _ = begun
    gate = Gate(project.rules, RESERVED_FIELDS, MAX_EVENT_BYTES)
    source = FileSource(project)
    rows = list(source.rows())
    assert (source.count, source.odd_count, len(rows), source.history_count) == (ROWS, 0, ROWS, ROWS // 2)
    assert sum(row.label or 0 for row in rows) == ROWS * FRAUD_SHARE
    assert len({row.id for row in rows}) == ROWS
    assert [row.time for row in rows] == sorted(row.time for row in rows)
    roles = project.definition.event
    for row in rows:
        event, labelled = gate.read(row.value), gate.read(row.labelled())
        assert event[roles.id] == row.id
        assert roles.label not in event
        assert labelled == event | {roles.label: labelled[roles.label]}
        assert int(labelled[roles.label]) == row.label
