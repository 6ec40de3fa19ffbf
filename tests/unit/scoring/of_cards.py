"""What the scoring service takes of the rows of ``tests/projects/cards``: run by ``test_another_project.py``."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from fraudstream.core.contract.event import FEATURES
from fraudstream.core.errors import ScoringRejected
from fraudstream.core.plain_model import misfit
from fraudstream.scoring import openapi
from fraudstream.scoring.bodies import read_request

ROW: dict[str, Any] = {"money.paid": 1.5, "v.1": None, "present": True, "Country": "unheard of", "country": None}
FULL = ROW | {"v.1": 1e300, "country": "nl", "tries": 2**53}


@pytest.mark.parametrize("shape", ["data", "input_data"])
def test_missing_inputs_and_unknown_categories_are_taken(shape: str) -> None:
    names = list(ROW)
    table = {"columns": names, "data": [list(ROW.values()), [FULL[name] for name in names]]}
    read = read_request(orjson.dumps({shape: [ROW, FULL] if shape == "data" else table}))
    assert tuple(read.columns) == FEATURES
    assert read.columns["v.1"] == [None, 1e300]
    assert read.columns["present"] == [True, True]
    assert read.columns["Country"] == ["unheard of"] * 2
    assert read.columns["tries"] == ([None, 2**53] if shape == "data" else [None, None])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"present": 1}, "row 0: present: expected true or false, got 1."),
        ({"present": None}, "row 0: present: expected true or false, got null."),
        ({"tries": "3"}, 'row 0: tries: expected a finite number, got "3".'),
        ({"money.paid": None}, "row 0: money.paid: expected a finite number, got null."),
    ],
)
def test_what_no_event_may_have_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ScoringRejected) as caught:
        read_request(orjson.dumps({"data": [ROW | change]}))
    assert str(caught.value) == message
    with pytest.raises(ScoringRejected, match="present: missing; a row has to have money"):
        read_request(orjson.dumps({"data": [{name: value for name, value in ROW.items() if name != "present"}]}))


def test_the_description_is_the_projects() -> None:
    row = openapi._ROW_SCHEMA
    assert row["required"] == ["money.paid", "present", "Country"]
    assert row["properties"]["country"] == {"type": ["string", "null"], "examples": ["be", "fr"]}
    assert row["properties"]["Country"] == {"type": "string", "examples": ["BE", "FR"]}
    for shape, (_, example) in openapi._EXAMPLES.items():
        assert read_request(orjson.dumps(example)).shape == shape


def test_a_model_that_cannot_be_told_of_a_missing_input_does_not_fit() -> None:
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, Schema

    assert misfit(ModelSignature(Schema([ColSpec("boolean", "present"), ColSpec("double", "tries")]))) == ""
    assert misfit(ModelSignature(Schema([ColSpec("long", "tries")]))).startswith("tries: long in the model's signature")
