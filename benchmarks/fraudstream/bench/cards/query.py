"""The features over time that the project's query computes, as a training obtains them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson

from fraudstream.asaql.running.inputs_of_model import computed_inputs
from fraudstream.core.project.project import bundled
from fraudstream.generator.simulators.cards import FIRST_ID


def query_features(events: Path, count: int) -> dict[str, np.ndarray]:
    """Features of the events in a file, in their order: by name, each float64 of shape (count,), NaN for none.

    The events' ids ascend by one from the time line's first.
    """
    project = bundled("cards")
    names = [rule.name for rule in project.computed]
    table = np.full((count, len(names)), np.nan)
    id = project.definition.event.id
    with computed_inputs(project, events) as lines:
        for line in lines:
            row = orjson.loads(line)
            table[row[id] - FIRST_ID] = [row[name] for name in names]
    return dict(zip(names, table.T, strict=True))
