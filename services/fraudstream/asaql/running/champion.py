"""The champion of a run on files: the registered model's trees, and the contract of the project that they are of."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fraudstream.core.configuration.chosen_project import NAME, project_in_force
from fraudstream.core.configuration.settings import ENV_PREFIX, load_settings
from fraudstream.core.configuration.sources import given_texts
from fraudstream.core.errors import ConfigurationError, ModelError
from fraudstream.core.project.definition import FILE_NAME
from fraudstream.core.project.project import named

if TYPE_CHECKING:
    from fraudstream.asaql.running.session import QuerySession

_VARIABLE = f"{ENV_PREFIX}{NAME.upper()}"
_CONTRACT = "fraudstream.core.contract.event"
_TREES = "champion-trees.json"
# A query's file and a file of test cases stand so far below their project's folder.
_MOST_ABOVE = 2


def choose_project(place: Path) -> None:
    """Put the project that a query or its cases are of in force, if nobody has chosen one.

    It has to be called before anything else reads which project is in force.
    """
    own = _project_of(place)
    if own is not None and NAME not in given_texts({NAME}) and _CONTRACT not in sys.modules:
        os.environ[_VARIABLE] = str(own)


def _project_of(place: Path) -> Path | None:
    whole = place.absolute()
    folders = (whole, *whole.parents[:_MOST_ABOVE])
    return next((folder for folder in folders if (folder / FILE_NAME).is_file()), None)


def _require_project(folder: Path) -> None:
    own, chosen = _project_of(folder), named(project_in_force()).folder
    if own is not None and chosen.resolve() != own.resolve():
        raise ConfigurationError(
            f"The query is of the project in {own}, and the one in force is in {chosen}. Set {_VARIABLE}={own}."
        )


def champion(session: QuerySession, folder: Path, names: Sequence[str]) -> dict[str, Any]:
    """The champion under the names that the query, which lies in ``folder``, calls it by; fetched once a session.

    Raises :class:`ModelError` where there is none, or none that has trees, :class:`RegistryUnavailable`, and
    :class:`ConfigurationError` where the query is of another project than the one in force.
    """
    _require_project(folder)
    file = session.scratch / _TREES
    if not file.is_file():
        _fetch(file, names[0])
    from fraudstream.spark.contract_file import contract_json

    return {"names": list(names), "file": str(file), "contract": contract_json()}


def _fetch(file: Path, name: str) -> None:
    from fraudstream.core.registry import champion_version
    from fraudstream.core.trees import download_trees

    # MLflow shows its progress on stderr.
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    settings = load_settings()
    version = champion_version(settings)
    if version is None:
        raise ModelError(
            f"udf.{name} is the champion, and {settings.model_name!r} has none yet. Train one with `fraudstream "
            "train`, or promote a version with `fraudstream models promote`."
        )
    trees = download_trees(settings, version)
    if trees is None:
        raise ModelError(
            f"udf.{name} is the champion, and version {version} of {settings.model_name!r} has no trees, which a run "
            "on files scores by. Promote a version that `fraudstream train` made."
        )
    file.write_text(json.dumps(trees | {"version": version}), "utf-8")
