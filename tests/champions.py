"""A champion that is made in no time: one tree, which splits by an input in the middle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import FEATURES, PROJECT
from fraudstream.core.contract.field_rules import leaves
from fraudstream.core.project.project import Project
from fraudstream.core.registry import registry_client


def stump(project: Project, name: str, split: float) -> dict[str, Any]:
    """The trees of a model that scores 0.88 where an input is ``split`` or more, and 0.12 elsewhere."""
    inputs = project.definition.model.inputs
    texts = {rule.name: rule.known_values for rule in leaves(project.rules) if rule.kind == "text"}
    codes = {name: {value: code for code, value in enumerate(texts[name])} for name in inputs if name in texts}
    return {
        **{"threshold": 0.5, "single_precision": True, "base": 0.0, "features": list(inputs), "codes": codes},
        **{"roots": [0], "feature": [inputs.index(name), -1, -1], "split": [split, 0.0, 0.0]},
        **{"left": [1, -1, -1], "right": [2, -1, -1]},
        **{"missing_left": [True, False, False], "value": [0.0, -2.0, 2.0], "cover": [10.0, 5.0, 5.0]},
    }


def register_stump(settings: Settings, folder: Path, split: float) -> str:
    """Register a champion for the project in force, which splits by the first input; its version."""
    trees = stump(PROJECT, FEATURES[0], split)
    folder.mkdir(parents=True)
    (folder / "trees.json").write_text(json.dumps(trees), "utf-8")
    described = {"artifact_path": "model", "flavors": {"fraudstream_trees": {"data": "trees.json"}}}
    (folder / "MLmodel").write_text(yaml.safe_dump(described | {"model_uuid": "0" * 32}), "utf-8")
    client = registry_client(settings)
    client.create_registered_model(settings.model_name)
    version = client.create_model_version(settings.model_name, folder.absolute().as_uri(), tags={"role": "champion"})
    return str(version.version)
