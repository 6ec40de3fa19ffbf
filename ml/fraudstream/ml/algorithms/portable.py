"""A trained ensemble as plain arrays in one JSON file, which the stream job's Java process evaluates.

It is logged with the served model as a second flavor of the same version, so that both are the same model.
Nodes of all trees lie in one list: ``feature`` is -1 at a leaf, ``left`` and ``right`` are positions in the list, and
``missing_left`` says whether a missing value goes left.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import xgboost

FLAVOR = "fraudstream_trees"
FILE_NAME = "trees.json"


def of_booster(booster: xgboost.Booster) -> dict[str, Any]:
    """An XGBoost binary classifier: single precision, left on ``<``, leaves in log-odds, covers for TreeSHAP."""
    saved = json.loads(bytes(booster.save_raw("json")))["learner"]
    roots: list[int] = []
    names = ("feature", "split", "left", "right", "missing_left", "value", "cover")
    nodes: dict[str, list[Any]] = {name: [] for name in names}
    for tree in saved["gradient_booster"]["model"]["trees"]:
        if any(tree["categories_nodes"]):
            raise ValueError(f"tree {tree['id']} splits on categories, which this form does not have")
        first = len(nodes["feature"])
        roots.append(first)
        for left, right, feature, condition, missing_left, cover in zip(
            tree["left_children"],
            tree["right_children"],
            tree["split_indices"],
            tree["split_conditions"],
            tree["default_left"],
            tree["sum_hessian"],
            strict=True,
        ):
            leaf = left < 0
            nodes["feature"].append(-1 if leaf else feature)
            nodes["left"].append(0 if leaf else first + left)
            nodes["right"].append(0 if leaf else first + right)
            nodes["split"].append(0.0 if leaf else condition)
            nodes["missing_left"].append(not leaf and bool(missing_left))
            nodes["value"].append(condition if leaf else 0.0)
            nodes["cover"].append(cover)
    return {"single_precision": True, "base": base_margin(saved), "roots": roots, **nodes}


def base_margin(learner: dict[str, Any]) -> float:
    """The log-odds that a saved XGBoost ensemble begins with: in single precision, as its logistic objective has it."""
    score = np.float32(np.ravel(json.loads(str(learner["learner_model_param"]["base_score"])))[0])
    return float(-np.log(np.float32(1) / score - np.float32(1)))


def of_spark_trees(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Spark ML's gradient-boosted trees: double precision, left on ``<=``, values weighted and in log-odds (2 F)."""
    trees, size = arrays["feature"].shape
    offset = (np.arange(trees) * size)[:, None]
    leaf = arrays["left"] == np.arange(size)[None, :]
    values = 2 * arrays["weight"][:, None] * arrays["value"]
    return {
        "single_precision": False,
        "base": float(arrays.get("base", np.array(0.0))),
        "roots": [int(first) for first in offset[:, 0]],
        "feature": np.where(leaf, -1, arrays["feature"]).ravel().tolist(),
        "split": arrays["threshold"].ravel().tolist(),
        "left": (arrays["left"] + offset).ravel().tolist(),
        "right": (arrays["right"] + offset).ravel().tolist(),
        "missing_left": (~leaf).ravel().tolist(),
        "value": values.ravel().tolist(),
        "cover": [],
    }


def file_text(trees: dict[str, Any], threshold: float, features: list[str], codes: dict[str, Any]) -> str:
    """The file's content without the version, which the registry assigns later. Raises ``ValueError`` for NaN."""
    if not math.isfinite(trees["base"]):
        raise ValueError(f"the ensemble's base margin is {trees['base']}")
    return json.dumps({"threshold": threshold, "features": features, "codes": codes, **trees}, allow_nan=False)
