"""The results about cards as rows of tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

COLUMNS = ("", "AP, mean of the folds", "standard deviation", "least", "most")
CAMPAIGN_COLUMNS = (
    "campaign",
    "share of the frauds",
    "XGBoost, one event",
    "regression, over time",
    "XGBoost, over time",
)
_SHOWN = CAMPAIGN_COLUMNS[2:]


def models(results: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The average precision of each model."""
    for name, mean in results["quality"]["mean"].items():
        values = [fold["average_precision"][name] for fold in results["folds"]]
        deviation = results["quality"]["deviation"][name]
        yield name, f"{mean:.3f}", f"{deviation:.3f}", f"{min(values):.3f}", f"{max(values):.3f}"


def campaigns(results: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The average precision of each campaign's frauds beside what is no fraud, mean of the folds that have any."""
    whole = sum(kind["frauds"] for fold in results["folds"] for kind in fold["campaigns"])
    names = dict.fromkeys(kind["campaign"] for fold in results["folds"] for kind in fold["campaigns"])
    for name in names:
        kinds = [kind for fold in results["folds"] for kind in fold["campaigns"] if kind["campaign"] == name]
        frauds = sum(kind["frauds"] for kind in kinds)
        means = (sum(kind["average_precision"][model] for kind in kinds) / len(kinds) for model in _SHOWN)
        yield name.replace("_", " "), f"{frauds / whole:.0%}", *(f"{mean:.3f}" for mean in means)
