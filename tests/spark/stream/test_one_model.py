"""The model in Spark's Java process and the served one are one model: same scores, same decisions, same reasons."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import functions as F

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import FEATURES, FIELD_RULES
from fraudstream.core.registry import LoadedModel
from fraudstream.generator.simulators.payments.distributions import sample
from fraudstream.ml.algorithms import boosting, gbt, portable
from fraudstream.ml.algorithms.calibration import Calibration
from fraudstream.ml.features import CODES, matrix
from fraudstream.ml.model_code import FraudPyfunc
from fraudstream.scoring.bodies import read_request, score
from fraudstream.stream.scorers import Decision, RemoteScorer, Scorer
from fraudstream.stream.transformations import decide_elsewhere, decide_here

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

pytestmark = [pytest.mark.spark, pytest.mark.timeless]

ROWS = 120_000
STEP = Calibration("platt", 0.8, 0.3, {})
RULES = {rule.name: rule for rule in FIELD_RULES}


def random_and_boundary_rows(trees: dict[str, Any], count: int, seed: int) -> dict[str, list[Any]]:
    """A third as generated, a third uniform over wide ranges, a third at the trees' own splits and their neighbours."""
    draw = np.random.default_rng(seed)
    generated = sample(count, seed)
    columns: dict[str, list[Any]] = {}
    kind = draw.integers(0, 3, count)
    for number, name in enumerate(FEATURES):
        rule = RULES[name]
        values = np.asarray(generated[name])
        if rule.choices:
            uniform = np.asarray(rule.choices)[draw.integers(0, len(rule.choices), count)]
            columns[name] = np.where(kind == 0, values, uniform).tolist()
        elif rule.kind == "int":
            uniform = draw.integers(int(rule.minimum or 0), int(rule.maximum or 0) + 1, count)
            columns[name] = np.where(kind == 0, values, uniform).tolist()
        else:
            splits = np.array(
                [split for feature, split in zip(trees["feature"], trees["split"], strict=True) if feature == number]
                or [0.0]
            )
            at = np.abs(splits[draw.integers(0, len(splits), count)])
            step = draw.integers(-2, 3, count)
            narrow = at.astype(np.float32)
            below, above = np.nextafter(narrow, np.float32(0)), np.nextafter(narrow, np.float32(np.inf))
            neighbour = np.where(step < 0, below, above)
            double = np.where(step < 0, np.nextafter(at, 0), np.nextafter(at, np.inf))
            boundary = np.where(step == 0, at, np.where(np.abs(step) == 1, neighbour.astype(np.float64), double))
            uniform = draw.uniform(0, 10 ** draw.integers(0, 7, count).astype(float))
            columns[name] = np.where(kind == 0, values, np.where(kind == 1, uniform, boundary)).tolist()
    return columns


def fitted_models(spark: SparkSession, folder: Path) -> dict[str, Any]:
    rows = sample(6_000, 3)
    features, labels = matrix(rows), np.asarray(rows["isFraud"])
    deep = boosting.PARAMETERS | {"n_estimators": 600, "max_depth": 3}
    return {
        "xgboost": boosting.fit(features, labels, 1),
        # Its trees are walked, where those that split once are not; it and Spark's are calibrated.
        "xgboost-deep": boosting.Fitted(boosting.classifier(deep).fit(features, labels), deep, {}).calibrated(STEP),
        "gbt": gbt.fit(spark, features, labels, 1, folder / "spark-model").calibrated(STEP),
    }


@pytest.fixture(scope="module")
def models(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[FraudPyfunc, Path, Any]]:
    by_algorithm = {}
    folder = tmp_path_factory.mktemp("models")
    for algorithm, fitted in fitted_models(spark, folder).items():
        served = folder / algorithm
        served.mkdir()
        fitted.save(served)
        kind = algorithm.partition("-")[0]
        described = {"algorithm": kind, "threshold": 0.5, "features": list(FEATURES), "codes": CODES}
        (served / "model.json").write_text(json.dumps(described))
        model = FraudPyfunc()
        model.load(served)
        trees = fitted.portable()
        text = portable.file_text(trees, 0.5, list(FEATURES), CODES)
        champion = served / "champion.json"
        champion.write_text(json.dumps(json.loads(text) | {"version": "3"}))
        by_algorithm[algorithm] = (model, champion, trees)
    return by_algorithm


def records_of(spark: SparkSession, columns: dict[str, list[Any]]) -> DataFrame:
    frame = pd.DataFrame(columns)
    frame["id"] = np.arange(len(frame))
    frame["date"] = "24/11/2026 10:11:12"
    lines = frame.to_dict("records")
    return spark.createDataFrame(
        pd.DataFrame({"offset": frame["id"], "value": [json.dumps(line).encode() for line in lines]})
    ).select(
        "value",
        F.lit(None).cast("binary").alias("key"),
        F.lit("transactions").alias("topic"),
        F.lit(0).alias("partition"),
        "offset",
        F.lit("2026-11-24 10:11:13.250").cast("timestamp").alias("timestamp"),
    )


def decisions(spark: SparkSession, columns: dict[str, list[Any]], champion: Path) -> pd.DataFrame:
    out = decide_here(records_of(spark, columns), champion).toPandas()
    assert set(out["topic"]) == {"scored"}
    scored = pd.DataFrame([json.loads(value) for value in out["value"]]).sort_values("id")
    return scored.reset_index(drop=True)


@pytest.mark.parametrize("algorithm", ["xgboost", "xgboost-deep", "gbt"])
def test_scores_and_decisions_are_the_served_ones(spark: SparkSession, models: Any, algorithm: str) -> None:
    model, champion, trees = models[algorithm]
    columns = random_and_boundary_rows(trees, ROWS, 11)
    embedded = decisions(spark, columns, champion)
    served = model.score_columns(columns)
    assert len(embedded) == ROWS
    assert np.abs(embedded["score"].to_numpy() - served).max() <= 1e-6
    assert np.array_equal(embedded["prediction"].to_numpy(), (served >= model.threshold).astype(int))
    assert 0 < embedded["prediction"].sum() < ROWS
    assert set(embedded["model_version"]) == {"3"}


@pytest.mark.parametrize("algorithm", ["xgboost", "xgboost-deep", "gbt"])
def test_reasons_are_the_served_ones(spark: SparkSession, models: Any, algorithm: str) -> None:
    model, champion, trees = models[algorithm]
    columns = random_and_boundary_rows(trees, 3_000, 12)
    embedded = decisions(spark, columns, champion)
    alerts = np.flatnonzero(embedded["prediction"].to_numpy() == 1)
    explained = model.explain_columns({name: [values[row] for row in alerts] for name, values in columns.items()})
    assert len(alerts) > 50
    for row, expected in zip(alerts, explained, strict=True):
        reasons = embedded["reasons"][row]
        # Equal contributions may come in either order.
        assert [reason["contribution"] for reason in reasons] == pytest.approx(
            [reason["contribution"] for reason in expected], abs=2e-3
        )
    assert all(not reasons for reasons in embedded["reasons"][embedded["prediction"] == 0])


def service_of(folder: Path) -> Callable[[], RemoteScorer]:
    """The scoring service over the model in the folder, without its HTTP; it travels to the workers by value."""

    class Service(RemoteScorer):
        def __init__(self) -> None:
            model = FraudPyfunc()
            model.load(folder)
            self._settings = Settings()
            self._loaded = LoadedModel("3", model, {})

        def _post(self, body: bytes, attempts: int) -> list[dict[str, Any]]:
            return self._decisions(score(self._loaded, read_request(body)).body)

    return Service


def repeating(written: list[bytes]) -> Callable[[], Scorer]:
    """A scorer that gives the decisions that these scored records have."""
    records = [json.loads(value) for value in written]
    decisions = {
        tuple(record[name] for name in FEATURES): Decision(
            *(record[name] for name in ("prediction", "score", "threshold", "model_version", "reasons"))
        )
        for record in records
    }

    class Repeating:
        def score(self, columns: Mapping[str, Sequence[Any]], attempts: int | None = None) -> list[Decision]:
            return [decisions[row] for row in zip(*columns.values(), strict=True)]

    return Repeating


def without(pattern: bytes, records: list[Any]) -> set[tuple[Any, ...]]:
    return {(row["topic"], row["key"], re.sub(pattern, b"", row["value"])) for row in records}


def test_the_service_and_the_stream_job_write_the_same_records(spark: SparkSession, models: Any) -> None:
    _, champion, trees = models["xgboost"]
    columns = random_and_boundary_rows(trees, 2_000, 13)
    columns["amount"][7] = "much"
    records = records_of(spark, columns).cache()
    here = decide_here(records, champion).collect()
    times = rb'"(scored|rejected)_at":"[^"]*"'
    same = repeating([bytes(row["value"]) for row in here if row["topic"] == "scored"])
    assert without(times, here) == without(times, decide_elsewhere(records, same).collect())
    # Two implementations of the exponential function differ in the last digit of a few scores.
    digits = times + rb'|"score":[0-9.E-]+|"contribution":[0-9.E-]+'
    service = decide_elsewhere(records, service_of(champion.parent)).collect()
    assert without(digits, here) == without(digits, service)
    assert {row["topic"] for row in here} == {"scored", "rejected"}


def test_a_model_of_other_fields_is_refused_by_name(spark: SparkSession, models: Any, tmp_path: Path) -> None:
    _, champion, trees = models["xgboost"]
    other = json.loads(champion.read_text()) | {"features": [*FEATURES[:-1], "shoe_size"]}
    path = tmp_path / "champion.json"
    path.write_text(json.dumps(other))
    with pytest.raises(Exception, match="version 3 of the model was trained on other fields"):
        decisions(spark, random_and_boundary_rows(trees, 3, 1), path)


def test_a_missing_champion_is_said(spark: SparkSession, models: Any, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="no champion's trees at"):
        decisions(spark, random_and_boundary_rows(models["xgboost"][2], 3, 1), tmp_path / "none.json")
