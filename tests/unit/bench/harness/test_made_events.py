"""Events made from a project's rules keep them, and their frauds can be learnt."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fraudstream.bench.harness.made_events import made_events, made_texts
from fraudstream.core.contract.gate import Gate
from fraudstream.core.contract.topics import MAX_EVENT_BYTES
from fraudstream.core.project.project import Project, bundled, read_project
from fraudstream.core.project.reserved import RESERVED_FIELDS


@pytest.fixture
def flat(project_root: Path) -> Project:
    return read_project(project_root / "tests" / "projects" / "flat")


@pytest.mark.parametrize("labelled", [False, True])
def test_they_keep_the_rules(flat: Project, labelled: bool) -> None:
    for project in (flat, bundled("payments")):
        gate = Gate(project.rules, RESERVED_FIELDS, MAX_EVENT_BYTES)
        label = project.definition.event.label
        events = [gate.read(value) for value in made_texts(project, 50, 7, 1, labelled=labelled)]
        assert [event[project.definition.event.id] for event in events] == list(range(7, 57))
        assert all((label in event) == labelled for event in events)


def test_the_same_seed_makes_the_same_events(flat: Project) -> None:
    labelled, plain = (list(made_events(flat, 30, 0, 5, labelled=labelled)) for labelled in (True, False))
    assert [{name: value for name, value in event.items() if name != "fraud"} for event in labelled] == plain
    assert json.dumps(list(made_events(flat, 30, 0, 6))) != json.dumps(plain)


def test_frauds_are_rare_and_differ_from_the_others(flat: Project) -> None:
    events = list(made_events(flat, 2_000, 0, 7, labelled=True))
    frauds = [event for event in events if event["fraud"]]
    assert 0.01 < len(frauds) / len(events) < 0.04
    inputs = flat.definition.model.inputs
    shifts = [
        abs(sum(event[name] for event in frauds) / len(frauds) - sum(event[name] for event in events) / len(events))
        for name in inputs
    ]
    # Of a number between -1,000 and 1,000 the mean of so few is seldom off by more than 100.
    assert max(shifts) > 200
