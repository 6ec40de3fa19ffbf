"""The registered model's versions: listing, comparing, and moving the champion's role."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import MlflowException

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import ModelError
from fraudstream.core.registry import (
    CHAMPION,
    ROLE_TAG,
    model_versions,
    registry_client,
    registry_error,
    role_of,
    run_metrics,
    version_order,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

FORMER_CHAMPION = "former-champion"


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


def promote(settings: Settings, version: str, client: MlflowClient | None = None) -> None:
    """Make ``version`` the champion. Raises :class:`ModelError` if it does not exist.

    It is tagged before the old champion loses the role, so that there is a champion at every moment.
    """
    client = client or registry_client(settings)
    registered = {str(entry.version): entry for entry in model_versions(settings, client)}
    if version not in registered:
        known = ", ".join(sorted(registered, key=version_order)) or "none yet"
        raise ModelError(
            f"The registered model {settings.model_name!r} has no version {version} (it has: {known}). "
            "`fraudstream models list` shows them."
        )
    try:
        client.set_model_version_tag(settings.model_name, version, ROLE_TAG, CHAMPION)
        for number, entry in registered.items():
            if number != version and role_of(entry.tags) == CHAMPION:
                # Spellings such as "Role" count as the tag as well, so each of them is changed.
                for name in {ROLE_TAG, *(name for name in entry.tags if name.strip().casefold() == ROLE_TAG)}:
                    client.set_model_version_tag(settings.model_name, number, name, FORMER_CHAMPION)
    except MlflowException as error:
        raise registry_error(settings, error) from error
