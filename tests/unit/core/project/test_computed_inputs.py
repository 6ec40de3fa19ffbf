"""Inputs of the model that are no fields of the event: what their names may be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.identity import roles
from fraudstream.core.project.project import Project, bundled, read_project

pytestmark = pytest.mark.timeless

LAST = bundled("payments").definition.model.inputs[-1]


def with_inputs(folder: Path, *names: str, has_query: bool = True) -> Project:
    """The project `payments` with further inputs."""
    shutil.copytree(bundled("payments").folder, folder)
    if not has_query:
        shutil.rmtree(folder / "stream-analytics")
    file = folder / "fraudstream.toml"
    inputs = "".join(f'    "{name}",\n' for name in names)
    file.write_text(file.read_text("utf-8").replace(f'"{LAST}",\n]', f'"{LAST}",\n{inputs}]'), "utf-8")
    return read_project(folder)


def test_an_input_that_is_no_field_is_a_number_that_may_be_missing(tmp_path: Path) -> None:
    project = with_inputs(tmp_path / "own", "paid_1h", "paid_24h")
    assert [(rule.name, rule.kind, rule.required) for rule in project.computed] == [
        ("paid_1h", "float", False),
        ("paid_24h", "float", False),
    ]
    assert project.rules == bundled("payments").rules
    assert roles(project)["model inputs"][-1] == {"field": "paid_24h", "kind": "float"}
    assert bundled("payments").computed == ()


def test_a_project_without_a_query_of_its_own_computes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"model\.inputs\[12\] is 'paid_1h', which event\.schema\.json has no"):
        with_inputs(tmp_path / "own", "paid_1h", has_query=False)


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (("Amount",), r"\[12\] is 'Amount', and event\.schema\.json has 'amount'"),
        (("paid in 1 h",), r"\[12\] is 'paid in 1 h', which event\.schema\.json has no property for"),
        (("a.b",), r"\[12\] is 'a\.b', which event\.schema\.json has no property for"),
        (("score",), r"\[12\] is 'score', a name that the system uses itself"),
        (("hour",), r"\[12\] is 'hour', a name that the system uses itself"),
        (("paid", "Paid"), r"\[13\] is 'Paid', which stands before"),
    ],
)
def test_a_name_that_would_be_taken_for_another_is_refused(
    tmp_path: Path, names: tuple[str, ...], problem: str
) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        with_inputs(tmp_path / "own", *names)


def test_cards_computes_features_over_time() -> None:
    names = [rule.name for rule in bundled("cards").computed]
    assert len(names) == 26
    assert {"card_count_10min", "terminal_sum_7d", "km_since", "first_here"} < set(names)
