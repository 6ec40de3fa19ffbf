"""The registered model's versions: listing, comparing, and moving the champion's role."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import MlflowException

from fraudstream.core.errors import ModelError
from fraudstream.core.registry import CHALLENGER, CHAMPION, ROLE_TAG, registry_client, unavailable
from fraudstream.core.settings import Settings

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
    try:
        found = client.search_model_versions(f"name='{settings.model_name}'")
        return sorted(
            (
                Version(
                    str(one.version),
                    one.tags.get(ROLE_TAG, CHALLENGER),
                    one.tags.get("algorithm", ""),
                    one.run_id or "",
                    int(one.creation_timestamp),
                    dict(client.get_run(one.run_id).data.metrics) if one.run_id else {},
                )
                for one in found
            ),
            key=lambda one: -int(one.version),
        )
    except MlflowException as error:
        raise unavailable(settings, error) from error


def promote(settings: Settings, version: str, client: MlflowClient | None = None) -> None:
    """Make ``version`` the champion. Raises :class:`ModelError` where it does not exist.

    The new one is tagged before the old one loses the role: at no moment is there none.
    """
    client = client or registry_client(settings)
    try:
        found = {str(one.version): one for one in client.search_model_versions(f"name='{settings.model_name}'")}
        if version not in found:
            known = ", ".join(sorted(found, key=int)) or "none yet"
            raise ModelError(
                f"The registered model {settings.model_name!r} has no version {version} (it has: {known}). "
                "`fraudstream models list` shows them."
            )
        client.set_model_version_tag(settings.model_name, version, ROLE_TAG, CHAMPION)
        for number, one in found.items():
            if number != version and one.tags.get(ROLE_TAG) == CHAMPION:
                client.set_model_version_tag(settings.model_name, number, ROLE_TAG, FORMER_CHAMPION)
    except MlflowException as error:
        raise unavailable(settings, error) from error
