"""Where the values of settings come from, and which of them are secrets."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal, get_args

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource

from fraudstream.core.configuration.dotenv_file import read_dotenv
from fraudstream.core.configuration.malformed import ENV_PREFIX
from fraudstream.core.output.redaction import parts_of

# How the names of those settings end that hold addresses.
_ADDRESSES = ("_url", "_uri", "_servers")
_PREFIX = ENV_PREFIX.lower()

Profile = Literal["local", "compose", "azure"]

# Which user goes with a secret when a client signs in.
_USERS = {
    "kafka_sasl_password": "kafka_sasl_username",
    "kafka_oauth_client_secret": "kafka_oauth_client_id",
    "dashboard_password": "dashboard_user",
}


def given_texts(names: Collection[str]) -> dict[str, Any]:
    """The texts of these settings in `.env` and the environment, as they were given; empty ones count as absent."""
    texts: dict[str, Any] = {}
    for values in (read_dotenv().values, os.environ):
        named = ((variable.lower().removeprefix(_PREFIX), variable, text) for variable, text in _capitals_last(values))
        texts |= {name: text for name, variable, text in named if text and name in names and name != variable.lower()}
    return texts


def _capitals_last(values: Mapping[str, str]) -> list[tuple[str, str]]:
    """Names and values in the order in which the later one is in force."""
    return sorted(values.items(), key=lambda pair: pair[0].isupper())


class DotEnvSource(EnvSettingsSource):
    """The settings in `.env`, read by :func:`read_dotenv`."""

    def _load_env_vars(self) -> Mapping[str, str | None]:
        return {name.lower(): value for name, value in _capitals_last(read_dotenv().values) if value}


class ProfileFileSource(PydanticBaseSettingsSource):
    """The values of the profile's own file in ``profiles/``; an unknown profile has none and fails validation."""

    def __init__(self, settings_cls: type[BaseSettings], profile: str) -> None:
        super().__init__(settings_cls)
        self._values = profile_values(profile) if profile in get_args(Profile) else {}

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        return self._values.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        return dict(self._values)


@cache
def profile_values(profile: str) -> dict[str, Any]:
    """What a profile's own file sets, name → value."""
    text = resources.files("fraudstream.core.configuration").joinpath(f"profiles/{profile}.toml").read_text("utf-8")
    return tomllib.loads(text)


def with_ports(name: str, value: Any, ports: Mapping[str, Any]) -> Any:
    """An address with the ports that it names, such as ``{kafka_port}``; any other setting's value as it is."""
    if not isinstance(value, str) or not name.endswith(_ADDRESSES):
        return value
    return re.sub(r"\{(\w+_port)\}", lambda match: str(ports.get(match[1], match[0])), value)


def plain(value: Any) -> Any:
    """The value itself, a secret in clear."""
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def secrets_of(fields: Mapping[str, FieldInfo], values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each secret among the values with its user, addresses that hold a password included."""
    for name, field in fields.items():
        text = plain(values.get(name))
        if not isinstance(text, str):
            continue
        is_address = field.annotation is str or text.startswith(("mongodb://", "mongodb+srv://"))
        if is_address:
            # The rest of an address is no secret, and says which of them is meant.
            yield from ((part, "") for part in parts_of(text)) if "://" in text else ()
        elif field.annotation is SecretStr:
            yield text, str(values.get(_USERS.get(name, ""), ""))
