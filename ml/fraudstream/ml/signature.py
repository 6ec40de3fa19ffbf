"""The inputs of the project's own models: as MLflow describes them, and what tells another project's from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlflow.types.schema import ColSpec, DataType, Schema

from fraudstream.core.contract.event import FEATURE_RULES, FEATURES, OPTIONAL_FEATURES
from fraudstream.ml.features import CODES

_TYPES = {"int": DataType.long, "float": DataType.double, "bool": DataType.boolean, "text": DataType.string}
_LONGEST = 200


def of_project() -> Schema:
    """The inputs of a model that `fraudstream train` makes; those that may be missing are not required."""
    return Schema([ColSpec(_type(name), name, required=name not in OPTIONAL_FEATURES) for name in FEATURES])


def _type(name: str) -> DataType:
    """MLflow has no missing values in columns of integers: they are doubles there."""
    kind = FEATURE_RULES[name].kind
    return DataType.double if kind == "int" and name in OPTIONAL_FEATURES else _TYPES[kind]


def difference(features: Sequence[str], codes: Mapping[str, Mapping[str, int]]) -> str:
    """What tells the inputs of a model that `fraudstream train` made from the project's; empty where they are equal."""
    for name in features:
        if name not in FEATURES:
            return f"{name}: it was trained on it, and it is no input of the project ({', '.join(FEATURES)})"
    for name in FEATURES:
        if name not in features:
            return f"{name}: it was trained without it, and it is an input of the project"
    for name, own in zip(FEATURES, features, strict=True):
        if name != own:
            return f"{own}: it was trained on it in another place, where the project has {name}"
    for name in FEATURES:
        if (known := codes.get(name)) != (expected := CODES.get(name)):
            return f"{name}: it was trained on {_shown(known)}, and the project has {_shown(expected)}"
    return ""


def _shown(codes: Mapping[str, int] | None) -> str:
    return "numbers" if codes is None else f"the values {', '.join(codes)}"[:_LONGEST]
