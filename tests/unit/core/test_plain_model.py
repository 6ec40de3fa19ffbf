"""A model that somebody else has logged: whether it fits the project's inputs, and what of its answers are scores."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema, TensorSpec

from fraudstream.core.contract.event import FEATURES, plain_inputs
from fraudstream.core.errors import ModelError
from fraudstream.core.plain_model import PlainModel, misfit, threshold_of

pytestmark = pytest.mark.timeless

ROWS = {name: [plain, plain] for name, plain in plain_inputs().items()}


def signed(*columns: Any) -> ModelSignature:
    return ModelSignature(inputs=Schema(list(columns)))


@pytest.mark.parametrize(
    ("signature", "problem"),
    [
        (None, ""),
        (signed(ColSpec("double", "amount"), ColSpec("long", "credit"), ColSpec("string", "day_of_week")), ""),
        (signed(ColSpec("double", "amount"), ColSpec("double", "V1", required=False)), ""),
        (signed(ColSpec("double", "V1")), "V1: the model needs it, and it is no input of the project (amount, "),
        (signed(ColSpec("long", "amount")), "amount: long in the model's signature, a finite number from 0 to"),
        (signed(ColSpec("double", "day_of_week")), "day_of_week: double in the model's signature, one of monday"),
        (signed(ColSpec("double")), "day_of_week: a text, and the model's signature has no names of inputs"),
        (signed(TensorSpec(np.dtype("float64"), (-1, 12))), "day_of_week: a text"),
    ],
)
def test_what_does_not_fit_is_told_by_its_field(signature: ModelSignature | None, problem: str) -> None:
    sentence = misfit(signature)
    assert sentence.startswith(problem)
    assert bool(sentence) == bool(problem)


def model(answer: Any, *columns: ColSpec) -> PlainModel:
    schema = Schema(list(columns)) if columns else None
    metadata = SimpleNamespace(get_input_schema=lambda: schema)
    return PlainModel(SimpleNamespace(metadata=metadata, predict=answer if callable(answer) else lambda _: answer), 0.5)


@pytest.mark.parametrize(
    "answer",
    [
        [0.25, 1],
        np.array([[0.75, 0.25], [0.0, 1.0]]),
        pd.Series([0.25, 1.0]),
        pd.DataFrame({"prediction": [0, 1], "score": [0.25, 1.0]}),
        pd.DataFrame({"prediction": [0.25, 1.0]}),
    ],
)
def test_usual_answers_are_scores(answer: Any) -> None:
    assert model(answer).score_columns(ROWS).tolist() == [0.25, 1.0]


@pytest.mark.parametrize("answer", [[0.1], [0.1, np.nan], [0.1, 2.0], [[0.1, -0.1], [0.2, -0.2]]])
def test_an_answer_that_is_no_probability_is_refused(answer: Any) -> None:
    with pytest.raises(ModelError, match="for 2 rows"):
        model(answer).score_columns(ROWS)


def test_columns_have_the_signatures_types_and_missing_numbers_are_nan() -> None:
    frames: list[pd.DataFrame] = []

    def predict(frame: pd.DataFrame) -> list[float]:
        frames.append(frame)
        return [0.0] * len(frame)

    wanted = (ColSpec("double", "credit"), ColSpec("integer", "children"), ColSpec("string", "day_of_week"))
    model(predict, *wanted).score_columns(ROWS)
    model(predict).score_columns(ROWS | {"credit": [1, None], "amount": [None, 2]})
    first, second = frames
    assert first.dtypes.astype(str).to_dict() == {"credit": "float64", "children": "int32", "day_of_week": "object"}
    assert list(second.columns) == list(FEATURES)
    assert (second["credit"].isna().tolist(), second["amount"].isna().tolist()) == ([False, True], [True, False])


def test_the_threshold_is_the_tags_or_the_metrics() -> None:
    assert threshold_of({}, {}) == 0.5
    assert threshold_of({}, {"threshold": 0.2}) == 0.2
    assert threshold_of({"threshold": "0.3"}, {"threshold": 0.2}) == 0.3
    with pytest.raises(ModelError, match="Its threshold is 'high'"):
        threshold_of({"threshold": "high"}, {})
