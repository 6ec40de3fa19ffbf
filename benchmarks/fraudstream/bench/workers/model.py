"""What every app does with an event: read JSON, score it with the same XGBoost model, write JSON with the decision."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import orjson
import xgboost


class Model:
    """The registered ensemble, read from its folder: ``booster.ubj`` and ``model.json``."""

    def __init__(self, folder: str | None = None) -> None:
        place = Path(folder or os.environ["BENCH_MODEL"])
        described = json.loads((place / "model.json").read_text("utf-8"))
        self.threshold = float(described["threshold"])
        self._features = described["features"]
        self._codes = described["codes"]
        self._booster = xgboost.Booster()
        self._booster.load_model(place / "booster.ubj")
        self._booster.set_param({"nthread": 1})

    def decide(self, values: Sequence[bytes]) -> list[bytes]:
        """Scored records for a batch of events, by one call of the model."""
        events = [orjson.loads(value) for value in values]
        rows = [
            [self._codes[name][event[name]] if name in self._codes else event[name] for name in self._features]
            for event in events
        ]
        scores = self._booster.inplace_predict(np.array(rows, dtype=np.float64))
        decided = []
        for event, score in zip(events, scores.tolist(), strict=True):
            event["score"] = score
            event["prediction"] = int(score >= self.threshold)
            decided.append(orjson.dumps(event))
        return decided
