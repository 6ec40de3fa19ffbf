"""The registered ensemble, for loops and apps that score with XGBoost itself."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import xgboost


class Model:
    """The ensemble in its folder: ``booster.ubj`` and ``model.json``."""

    def __init__(self, folder: str | None = None) -> None:
        place = Path(folder or os.environ["BENCH_MODEL"])
        described = json.loads((place / "model.json").read_text("utf-8"))
        self.threshold = float(described["threshold"])
        self.features: list[str] = described["features"]
        self.version = str(described.get("version", "1"))
        self._codes = described["codes"]
        self._inputs = attrgetter(*self.features)
        self._coded = [(at, self._codes[name]) for at, name in enumerate(self.features) if name in self._codes]
        self._booster = xgboost.Booster()
        self._booster.load_model(place / "booster.ubj")
        self._booster.set_param({"nthread": 1})

    def row(self, event: Any) -> list[float]:
        """The model's inputs, from an event's attributes."""
        row = list(self._inputs(event))
        for at, codes in self._coded:
            row[at] = codes[row[at]]
        return row

    def scores(self, rows: np.ndarray) -> np.ndarray:
        """A score for each row."""
        return self._booster.inplace_predict(rows)

    def contributions(self, rows: np.ndarray) -> np.ndarray:
        """What each feature adds to each row's margin: TreeSHAP, by XGBoost."""
        return self._booster.predict(xgboost.DMatrix(rows), pred_contribs=True)[:, :-1]

    def decide(self, values: Sequence[bytes]) -> list[bytes]:
        """The least that scoring is: JSON in, one call of the model, JSON out with score and prediction."""
        events = [orjson.loads(value) for value in values]
        rows = [
            [self._codes[name][event[name]] if name in self._codes else event[name] for name in self.features]
            for event in events
        ]
        decided = []
        for event, score in zip(events, self.scores(np.array(rows, dtype=np.float64)).tolist(), strict=True):
            event["score"] = score
            event["prediction"] = int(score >= self.threshold)
            decided.append(orjson.dumps(event))
        return decided
