"""What a process must be given before it may start, and which secrets are no secrets.

Where ``secrets_required`` is set (the `azure` profile sets it), an empty value, a placeholder that was left in a
template, and a key that everybody knows all stop a process at its start, with every variable named at once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pydantic import SecretStr

from fraudstream.core.configuration.authorities import check_authorities
from fraudstream.core.configuration.settings import ENV_PREFIX, Settings, load_settings
from fraudstream.core.configuration.variables import tell_unread
from fraudstream.core.errors import ConfigurationError

Need = Literal["kafka", "mongo", "registry", "scoring", "scoring_key"]
ALL_NEEDS: tuple[Need, ...] = ("kafka", "mongo", "registry", "scoring")

_PLACEHOLDER = re.compile(
    r"<[^<>]*>|\.\.\.|…|^(change[-_ ]?(me|it)|password|passw0rd|secret|example|todo|key|token|your[-_ ].*|x{3,})$", re.I
)
# Keys of the emulators and of the samples, as SHA-256: the keys themselves would look like leaked secrets here.
_WELL_KNOWN = {
    # Cosmos DB's emulator, plain and percent-encoded as in an address.
    "aa6547439583c3a275d4542a0df6c1ad6a863971be9f2a2220f027cc02aef615",  # pragma: allowlist secret
    "7a2648e217247cc6ccd10a9487be59fa195d3a323d6e99119067469039b43281",  # pragma: allowlist secret
}


@dataclass(frozen=True, slots=True)
class Missing:
    """A setting that a process cannot do without: ``problem`` says what is wrong, ``needed_by`` what for."""

    name: str
    problem: str
    needed_by: str

    @property
    def variable(self) -> str:
        """The environment variable."""
        return f"{ENV_PREFIX}{self.name.upper()}"


def missing(settings: Settings, needs: Iterable[Need] = ALL_NEEDS) -> list[Missing]:
    """What these needs lack; empty where the profile does not insist on secrets."""
    if not settings.secrets_required:
        return []
    gaps: dict[str, Missing] = {}
    for need in needs:
        for name in _names(settings, need):
            problem = _problem(getattr(settings, name))
            if problem is not None:
                gaps.setdefault(name, Missing(name, problem, need.replace("_", " ")))
    return list(gaps.values())


def require(settings: Settings, *needs: Need) -> Settings:
    """The settings themselves. Raises :class:`ConfigurationError` naming every variable that is not usable."""
    lacking = missing(settings, needs)
    if lacking:
        lines = "; ".join(f"{gap.variable} {gap.problem} (needed for {gap.needed_by})" for gap in lacking)
        raise ConfigurationError(
            f"The profile `{settings.profile}` does not start with default or empty secrets: {lines}. Set them in the "
            "environment or in .env; azure/.env.example explains each, `fraudstream check azure` checks them."
        )
    return settings


def start_settings(*needs: Need) -> Settings:
    """Read the settings of a process that starts, and say what has no effect.

    Raises :class:`ConfigurationError` for what it cannot work with, files of CA certificates included.
    """
    settings = require(load_settings(), *needs)
    check_authorities(settings)
    tell_unread()
    return settings


def is_placeholder(text: str) -> bool:
    """Whether a value was left over from a template, or is a key that is printed in public documentation."""
    return bool(_PLACEHOLDER.search(text.strip())) or is_well_known(text)


def is_well_known(text: str) -> bool:
    """Whether the value holds an emulator's key or the emulators' marker."""
    words = re.split(r"[;:@=,&?/\s]+", text)
    if "UseDevelopmentEmulator" in words or "SAS_KEY_VALUE" in words:
        return True
    parts = re.findall(r"[A-Za-z0-9+/%]{20,}={0,2}", text)
    return any(hashlib.sha256(part.encode()).hexdigest() in _WELL_KNOWN for part in parts)


def _names(settings: Settings, need: Need) -> tuple[str, ...]:
    if need == "kafka":
        if not settings.kafka_security_protocol.startswith("SASL"):
            return ("kafka_bootstrap_servers",)
        if settings.kafka_sasl_mechanism != "OAUTHBEARER":
            return ("kafka_bootstrap_servers", "kafka_sasl_username", "kafka_sasl_password")
        if settings.kafka_oauth_token_url or settings.kafka_oauth_client_id:
            return (
                *("kafka_bootstrap_servers", "kafka_oauth_token_url"),
                *("kafka_oauth_client_id", "kafka_oauth_client_secret"),
            )
        return ("kafka_bootstrap_servers",)
    if need == "mongo":
        return ("mongo_uri",)
    if need == "scoring":
        return ("scoring_url", "scoring_key") if settings.scoring == "remote" else ("mlflow_tracking_uri",)
    return ("scoring_key",) if need == "scoring_key" else ("mlflow_tracking_uri",)


def _problem(value: object) -> str | None:
    text = value.get_secret_value() if isinstance(value, SecretStr) else str(value or "")
    if not text.strip():
        return "is empty"
    if is_well_known(text):
        return "holds a key that everybody knows (an emulator's or a sample's)"
    return "still holds a placeholder" if is_placeholder(text) else None
