"""Zero and missing are different things for the model, and the same ones for XGBoost and for Spark's Java process."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import xgboost

from fraudstream.core.project.project import Project, read_project
from fraudstream.ml.algorithms import portable
from fraudstream.spark.contract_file import contract_json

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.timeless]

INPUTS = ["x", "y", "z"]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Three numbers, each of which may be missing."""
    folder = tmp_path_factory.mktemp("project")
    fields = {
        "key": {"type": "integer"},
        "at": {"type": "number"},
        "paid": {"type": "number"},
        "bad": {"type": "boolean"},
    }
    schema = {"type": "object", "properties": fields | {name: {"type": ["number", "null"]} for name in INPUTS}}
    (folder / "event.schema.json").write_text(json.dumps(schema | {"required": ["key", "at", "paid"]}))
    roles = 'id = "key"\ntime = "at"\ntime_format = "epoch"\namount = "paid"\nlabel = "bad"'
    (folder / "fraudstream.toml").write_text(f'title = "t"\n[event]\n{roles}\n[model]\ninputs = {json.dumps(INPUTS)}\n')
    return read_project(folder)


@pytest.mark.parametrize("depth", [1, 3])
def test_a_missing_input_goes_its_own_way(spark: SparkSession, project: Project, tmp_path: Path, depth: int) -> None:
    draw = np.random.default_rng(7)
    rows = draw.choice([-1.0, 0.0, 0.5, 2.0, math.nan], (4_000, len(INPUTS)))
    # Zero is harmless and missing is not, or the other way about.
    alarming = np.isnan(rows[:, 0]) + 2 * (rows[:, 1] == 0) + (np.isnan(rows[:, 2]) & (rows[:, 0] > 0))
    labels = draw.random(len(rows)) < 0.05 + 0.3 * alarming
    parameters = {"objective": "binary:logistic", "max_depth": depth, "nthread": 1}
    booster = xgboost.train(parameters, xgboost.DMatrix(rows, label=labels), 20)
    trees = portable.of_booster(booster)
    file = tmp_path / "trees.json"
    file.write_text(portable.file_text(trees, 0.0, INPUTS, {})[:-1] + ', "version": "1"}')

    jvm: Any = spark._jvm
    gateway: Any = spark.sparkContext._gateway
    contract = jvm.fraudstream.contract.Contract.of(contract_json(project))
    ensemble = jvm.fraudstream.model.Ensemble.read(contract, jvm.java.io.File(str(file)))
    some = np.unique(rows, axis=0)[:200]
    scores = booster.predict(xgboost.DMatrix(some))
    contributions = booster.predict(xgboost.DMatrix(some), pred_contribs=True)
    for row, score, each in zip(some, scores, contributions, strict=True):
        given = gateway.new_array(gateway.jvm.double, len(row))
        for place, value in enumerate(row):
            given[place] = float(value)
        decision = ensemble.decide(given)
        assert decision.score() == pytest.approx(score, rel=1e-6)
        reasons = {reason["field"]: reason["contribution"] for reason in json.loads(decision.reasons())}
        positive = {name: value for name, value in zip(INPUTS, each, strict=False) if value > 5e-5}
        assert reasons == pytest.approx(positive, abs=2e-4)
    assert len({float(score) for score in scores}) > depth
