"""A training on a project that is not payments, from documents to a champion: run by ``test_another_project.py``.

``python -m tests.unit.ml.another_project FOLDER`` with FRAUDSTREAM_PROJECT naming the project that :func:`make` writes.
"""

from __future__ import annotations

import json
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

ROWS = 8_000
START = datetime(2026, 1, 1, tzinfo=UTC)

PROJECT = """
title = "Cards"
[event]
id = "tx id"
time = "when"
time_format = "iso8601"
amount = "Amount"
label = "is fraud?"
entities = ["card.number"]
[model]
inputs = ["Amount", "v.1", "card.limit", "present", "contactless", "Country", "country", "entry"]
[categories]
Country = ["BE", "FR", "NL"]
"""
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "tx id": {"type": "string", "minLength": 1, "maxLength": 36},
        "when": {"type": "string"},
        "Amount": {"type": "number"},
        "v.1": {"type": ["number", "null"]},
        "card": {
            "type": "object",
            "properties": {"number": {"type": "string"}, "limit": {"type": "integer"}},
            "required": ["number", "limit"],
        },
        "present": {"type": "boolean"},
        "contactless": {"type": ["boolean", "null"]},
        "Country": {"type": "string"},
        "country": {"type": ["string", "null"], "enum": ["be", "fr", None]},
        "entry": {"type": "integer", "enum": [5, 7, 90]},
        "is fraud?": {"type": ["boolean", "null"]},
    },
    "required": ["tx id", "when", "Amount", "present", "Country", "entry"],
}


def make(folder: Path) -> Path:
    """The project's folder, written there."""
    folder.mkdir()
    (folder / "fraudstream.toml").write_text(PROJECT, "utf-8")
    (folder / "event.schema.json").write_text(json.dumps(SCHEMA), "utf-8")
    return folder


def document(number: int, rng: np.random.Generator) -> dict[str, Any]:
    """A stored labelled transaction; one of a hundred is a fraud, mostly of a large amount without a ``v.1``."""
    from bson import Decimal128

    fraud = number % 100 == 7
    amount = float(rng.gamma(2, 400 if fraud else 30))
    fields: dict[str, Any] = {
        "_id": str(uuid.UUID(int=int(rng.integers(2**62)) << 64 | number)),
        "origin": "history",
        "event_time": START + timedelta(minutes=number),
        "Amount": Decimal128(f"{amount:.20f}") if number % 3 == 0 else amount,
        "v.1": None if rng.random() < (0.9 if fraud else 0.1) else float(rng.normal()),
        "present": bool(rng.random() < 0.5),
        "Country": str(rng.choice(["BE", "FR", "NL", "unheard of"])),
        "entry": int(rng.choice([5, 7, 90])),
        "is fraud?": fraud,
    }
    if number % 5:
        fields["card"] = {"number": "4111", "limit": int(rng.integers(1_000))}
    if number % 4:
        fields["contactless"] = bool(number % 2)
    if number % 6:
        fields["country"] = rng.choice(["be", "fr"]).item() if number % 7 else None
    return fields


def main(folder: Path) -> None:
    """Train, register, promote, and score the same rows in each way that a program can ask."""
    import mlflow
    import pandas as pd

    from fraudstream.core.configuration.settings import Settings
    from fraudstream.core.contract.event import FEATURES, RULES
    from fraudstream.core.contract.field_rules import value_at
    from fraudstream.core.registry import champion_version, load_version, registry_client
    from fraudstream.ml import history
    from fraudstream.ml.algorithms import boosting
    from fraudstream.ml.registry import promote
    from fraudstream.ml.training import run as training
    from fraudstream.ml.usable import COLUMNS, sort_rows

    rng = np.random.default_rng(5)
    documents = [document(number, rng) for number in range(ROWS)]
    odd = [document(1, rng) | {"v.1": "much"}, document(2, rng) | {"_id": 7}, document(3, rng) | {"entry": 6}]
    sorting = sort_rows([*documents, *odd])
    assert [reason for _, reason in sorting.left_out] == [
        *("v.1: not a number", "tx id: not a text", "entry: out of its range")
    ], sorting.left_out
    frame = history.record_batch(sorting).to_pandas()
    rows = frame[frame["left_reason"].isna()].iloc[:, : len(COLUMNS)].set_axis(list(COLUMNS), axis=1)
    table = history.checked(rows)
    split = training.split(table)
    # The latest are held out, so that no model looks ahead.
    moments = table["event_time"].to_numpy()
    assert np.bincount(table["is fraud?"][split.held_out]).tolist() == [2_376, 24]
    assert moments[split.learnt].max() < moments[split.held_out].min()

    settings = Settings(mlflow_tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")
    boosting.PARAMETERS["n_estimators"] = 60
    client = registry_client(settings)
    training.check_classes(split)
    outcome = training.Training(settings, client, None, split, {}, 7).run("xgboost", folder)  # type: ignore[arg-type]
    assert outcome.metrics["average_precision"] > 0.6, outcome.metrics
    alerts = outcome.metrics["true_positive"] + outcome.metrics["false_positive"]
    assert 12 <= alerts <= 36, outcome.metrics
    # By card, as the project names one.
    assert 0 <= outcome.metrics["card_precision_at_100"] <= 1

    loaded = load_version(settings, outcome.version)
    columns = {name: [value_at(row, RULES[name].path) for row in documents[:500]] for name in FEATURES}
    scores = loaded.model.score_columns(columns)
    same = table.set_index("tx id").loc[[row["_id"] for row in documents[:500]]].reset_index()
    assert np.array_equal(loaded.model.score_columns({name: same[name].tolist() for name in FEATURES}), scores)
    served = mlflow.pyfunc.load_model(f"models:/{settings.model_name}/{outcome.version}")
    asked = pd.DataFrame(columns)
    asked["Amount"], asked["card.limit"] = same["Amount"], same["card.limit"]
    assert np.array_equal(served.predict(asked)["score"], scores)
    # What may be missing may be left out whole.
    required = [column.name for column in served.metadata.get_input_schema().inputs if column.required]
    assert required == ["Amount", "present", "Country", "entry"]
    assert len(served.predict(asked[required])) == 500

    assert promote(settings, outcome.version)
    assert champion_version(settings, client) == outcome.version


if __name__ == "__main__":
    main(Path(sys.argv[1]))
