"""The registered model's versions: listing, comparing, and moving the champion's role."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlflow
import numpy as np
from mlflow.exceptions import MlflowException
from mlflow.models import Model

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.event import PROJECT
from fraudstream.core.errors import ModelError
from fraudstream.core.output.text import error_text
from fraudstream.core.plain_model import misfit
from fraudstream.core.registry import (
    CHAMPION,
    ROLE_TAG,
    champion_version,
    load_version,
    model_versions,
    registry_client,
    registry_error,
    role_of,
    run_metrics,
    version_order,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

FORMER_CHAMPION = "former-champion"
# A version's tag: which one was the champion before it, the first time that it became the champion.
PREDECESSOR = "predecessor"
# A parameter of a run: the time of the latest transaction that its model learnt from, ISO 8601 in UTC.
LEARNT_UNTIL = "dataset_learnt_until"


@dataclass(frozen=True, slots=True)
class Version:
    """A registered version; ``metrics`` are those of its training run's held-out rows."""

    version: str
    role: str
    algorithm: str
    run_id: str
    created_at_ms: int
    metrics: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """As a JSON-ready object."""
        return asdict(self)


def versions(settings: Settings, client: MlflowClient | None = None) -> list[Version]:
    """All versions, the newest first. Raises :class:`RegistryUnavailable`."""
    client = client or registry_client(settings)
    registered = model_versions(settings, client)
    try:
        return sorted(
            (
                Version(
                    str(entry.version),
                    role_of(entry.tags),
                    entry.tags.get("algorithm", ""),
                    entry.run_id or "",
                    int(entry.creation_timestamp),
                    run_metrics(client, entry.run_id or ""),
                )
                for entry in registered
            ),
            key=lambda version: version_order(version.version),
            reverse=True,
        )
    except MlflowException as error:
        raise registry_error(settings, error) from error


def promote(settings: Settings, version: str, client: MlflowClient | None = None) -> bool:
    """Make ``version`` the champion. Returns whether it has trees, which the stream job can score with by itself.

    Raises :class:`ModelError` if it does not exist, or cannot score the project's transactions.
    """
    client = client or registry_client(settings)
    _registered(settings, version, client)
    has_trees = require_fit(settings, version)
    give_role(settings, version, client)
    return has_trees


def rollback(settings: Settings, client: MlflowClient | None = None) -> tuple[str, str]:
    """Give the champion's role back to the version that had it before; returns that version, and the one that had it.

    A further rollback goes back further. Raises :class:`ModelError` where there is no champion, where it is the first
    one, or where the former one cannot be used any more.
    """
    client = client or registry_client(settings)
    registered = {str(entry.version): entry for entry in model_versions(settings, client)}
    champion = champion_version(settings, client)
    if champion is None:
        raise ModelError(
            f"The registered model {settings.model_name!r} has no champion. "
            "`fraudstream models list` shows the versions."
        )
    former = registered[champion].tags.get(PREDECESSOR, "")
    if former not in registered:
        there = f"version {former}, which is gone, was the champion" if former else "no champion is known"
        raise ModelError(
            f"Before version {champion} {there}. `fraudstream models promote VERSION` makes any version the champion."
        )
    require_fit(settings, former)
    give_role(settings, former, client, remember=False)
    return former, champion


def registered_version(settings: Settings, client: MlflowClient, version: str) -> ModelVersion:
    """The version as the registry has it. Raises :class:`ModelError` if it does not exist."""
    return _registered(settings, version, client)[version]


def learnt_until(settings: Settings, client: MlflowClient, version: str) -> int | None:
    """The time of the latest transaction that the version learnt from, in milliseconds since 1970; None if unknown."""
    registered = _registered(settings, version, client)[version]
    try:
        parameters = client.get_run(registered.run_id).data.params if registered.run_id else {}
        return int(np.datetime64(parameters[LEARNT_UNTIL].removesuffix("Z"), "ms").astype(np.int64))
    except (KeyError, ValueError):
        return None
    except MlflowException:
        # The run is gone, which takes nothing from the model.
        return None


def require_fit(settings: Settings, version: str) -> bool:
    """Whether the version has trees. Raises :class:`ModelError` where it cannot score the project's transactions.

    Of a model that another program registered, the signature is looked at, and one plain row is scored.
    """
    # Imported here, as the list of versions needs none of it.
    from fraudstream.ml.algorithms import portable
    from fraudstream.ml.signature import difference

    name = settings.model_name
    address = f"models:/{name}/{version}"
    try:
        model = Model.load(address)
        flavor = model.flavors.get(portable.FLAVOR)
        if flavor is not None:
            with tempfile.TemporaryDirectory(prefix="fraudstream-fit-") as folder:
                file = mlflow.artifacts.download_artifacts(f"{address}/{flavor['data']}", dst_path=folder)
                trees = json.loads(Path(file).read_text("utf-8"))
                problem = difference(list(trees["features"]), dict(trees["codes"]))
        elif mlflow.pyfunc.FLAVOR_NAME in model.flavors:
            problem = misfit(model.signature)
        else:
            problem = f"it has no flavor {mlflow.pyfunc.FLAVOR_NAME}"
    except Exception as error:
        raise ModelError(
            f"Version {version} of the registered model {name!r} cannot be read ({error_text(error)}). "
            "Promote another version: `fraudstream models list` shows them."
        ) from error
    if problem:
        raise ModelError(
            f"Version {version} of {name!r} does not fit the project {PROJECT.name!r}: {problem}. "
            "Promote a version that does, or train one with `fraudstream train`."
        )
    if flavor is None:
        load_version(settings, version)
    return flavor is not None


def give_role(settings: Settings, version: str, client: MlflowClient, *, remember: bool = True) -> None:
    """Make ``version`` the champion, whatever it is. Raises :class:`ModelError` if it does not exist.

    It is tagged before the old champion loses the role, so that there is a champion at every moment. With ``remember``
    it is also tagged with the one that it follows, which a rollback goes back to.
    """
    registered = _registered(settings, version, client)
    former = champion_version(settings, client)
    try:
        if remember and former is not None and former != version:
            client.set_model_version_tag(settings.model_name, version, PREDECESSOR, former)
        client.set_model_version_tag(settings.model_name, version, ROLE_TAG, CHAMPION)
        for number, entry in registered.items():
            if number != version and role_of(entry.tags) == CHAMPION:
                # Spellings such as "Role" count as the tag as well, so each of them is changed.
                for name in {ROLE_TAG, *(name for name in entry.tags if name.strip().casefold() == ROLE_TAG)}:
                    client.set_model_version_tag(settings.model_name, number, name, FORMER_CHAMPION)
    except MlflowException as error:
        raise registry_error(settings, error) from error


def _registered(settings: Settings, version: str, client: MlflowClient) -> dict[str, ModelVersion]:
    """All versions by their numbers. Raises :class:`ModelError` if ``version`` is none of them."""
    registered = {str(entry.version): entry for entry in model_versions(settings, client)}
    if version not in registered:
        known = ", ".join(sorted(registered, key=version_order)) or "none yet"
        raise ModelError(
            f"The registered model {settings.model_name!r} has no version {version} (it has: {known}). "
            "`fraudstream models list` shows them."
        )
    return registered
