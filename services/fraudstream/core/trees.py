"""A registered version's trees: fetched, and checked before anything scores with them.

A broken file would stop every batch of the stream.
"""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path
from typing import Any, NoReturn

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import FEATURE_RULES, FEATURES
from fraudstream.core.errors import ModelError
from fraudstream.core.output.text import error_text
from fraudstream.core.plain_model import misfit
from fraudstream.core.registry import registry_client

PROMOTION_ADVICE = "`fraudstream models list` shows the versions, `fraudstream models promote` takes another one."
# What training logs with each version; see fraudstream.ml.algorithms.portable.
_FLAVOR = "fraudstream_trees"
_PYFUNC = "python_function"
_NUMBERS = ("split", "value")
_PLACES = ("feature", "left", "right")


def download_trees(settings: Settings, version: str) -> dict[str, object] | None:
    """The trees of a registered version; None for a model without trees, which the scoring service can score with.

    Raises :class:`ModelError` where it can score neither here nor there.
    """
    import mlflow
    from mlflow.models import Model

    registry_client(settings)
    try:
        with tempfile.TemporaryDirectory(prefix="fraudstream-champion-") as scratch:
            uri = f"models:/{settings.model_name}/{version}"
            folder = Path(mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=scratch))
            logged = Model.load(folder)
            flavor = logged.flavors.get(_FLAVOR)
            if flavor is not None:
                file = (folder / flavor["data"]).resolve()
                if not file.is_relative_to(folder.resolve()):
                    raise ValueError(f"its flavor names a file outside of the version, {flavor['data']!r}")
                return read_trees(file)
            problem = misfit(logged.signature) if _PYFUNC in logged.flavors else f"it has no flavor {_PYFUNC}"
    except Exception as error:
        raise ModelError(
            f"The trees of version {version} of {settings.model_name!r} cannot be fetched ({error_text(error)})."
        ) from error
    if problem:
        raise ModelError(
            f"Version {version} of {settings.model_name!r} does not fit the project ({problem}). {PROMOTION_ADVICE}"
        )
    if not settings.scoring_url:
        raise ModelError(
            f"Version {version} of {settings.model_name!r} has no flavor {_FLAVOR}, and no scoring service is named "
            "to score with it. Promote a version that `fraudstream train` made, or set FRAUDSTREAM_SCORING_URL."
        )
    return None


def read_trees(file: Path) -> dict[str, Any]:
    """The trees as :mod:`fraudstream.ml.algorithms.portable` writes them.

    Raises ``OSError``, and ``ValueError`` where they are none of ours or cannot score.
    """
    trees = json.loads(file.read_text("utf-8"), parse_constant=_not_finite)
    if not isinstance(trees, dict):
        raise ValueError("its trees are no JSON object")
    try:
        problem = _problem(trees)
    except (KeyError, TypeError) as error:
        raise ValueError(f"its trees are not ours: {type(error).__name__}: {error}") from error
    if problem:
        raise ValueError(f"its trees cannot score: {problem}")
    return trees


def _not_finite(word: str) -> NoReturn:
    raise ValueError(f"its trees cannot score: a number is {word}")


def _problem(trees: dict[str, Any]) -> str:
    if not 0 <= trees["threshold"] <= 1:
        return f"the threshold is {trees['threshold']}"
    if not math.isfinite(trees["base"]) or not isinstance(trees["single_precision"], bool):
        return "the base margin or the precision is missing"
    if trees["features"] != list(FEATURES):
        return f"its fields are not the contract's: {trees['features']!r}"[:200]
    if trees["codes"].keys() != {name for name in FEATURES if FEATURE_RULES[name].kind == "text"}:
        return f"its categories are not the contract's: {sorted(trees['codes'])!r}"[:200]
    size = len(trees["feature"])
    if any(len(trees[name]) != size for name in (*_NUMBERS, *_PLACES)) or len(trees["cover"]) not in (0, size):
        return "its lists of nodes have different lengths"
    # Trees that no missing value was shown to have no such list: there it goes right.
    missing_left = trees.get("missing_left", [])
    if len(missing_left) not in (0, size) or not all(isinstance(goes_left, bool) for goes_left in missing_left):
        return "where missing values go is not told of each node"
    if not all(math.isfinite(number) for name in _NUMBERS for number in trees[name]):
        return "a split or a leaf is not finite"
    if not trees["roots"] or not all(0 <= root < size for root in trees["roots"]):
        return "a root is not among its nodes"
    for node, (feature, left, right) in enumerate(zip(*(trees[name] for name in _PLACES), strict=True)):
        # Children come behind their parent in what training writes: no path can go round.
        if feature != -1 and not (0 <= feature < len(FEATURES) and node < left < size and node < right < size):
            return f"node {node} leads nowhere"
    return ""
