"""Values that cannot be meant: one rule for every setting and every way in which a process starts.

No value begins or ends with white space or stands in quotes, and none holds a control character, an invisible character
or half a character. Such a value comes from a file's last line break, from Windows line endings or from a copied page;
clients answer it with a refused login or repeat it in their errors. It is refused by its variable's name and never
shown, and not mended either: what is stored somewhere is then mended there, once, for whoever else reads it.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import SecretStr

ENV_PREFIX = "FRAUDSTREAM_"

# Sent in an HTTP header, which carries ASCII alone.
_IN_HEADERS = ("scoring_key", "dashboard_auth_header")
# Names of files may hold any character that the system takes, but for those that no line of text survives.
_PATHS = ("data_dir", "kafka_ssl_cafile", "project", "tls_certificate", "tls_key", "ingest_jwks")
# Of Event Hubs: a string with this part is a password, and this user goes with it.
_KEY_PART = re.compile(r"(?i)SharedAccessKey\s*=")
_EVENT_HUBS_USER = "$ConnectionString"
# How a key in base64 ends, and no user's name does.
_KEY = re.compile(r"[\w+/-]{20,}={1,2}")
# What azure-identity signs in with (its README, "Environment variables"), and which of it is secret.
_IDENTITY = ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_USERNAME", "AZURE_CLIENT_CERTIFICATE_PATH")
_IDENTITY_SECRETS = (
    *("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_PASSWORD", "IDENTITY_HEADER", "MSI_SECRET"),
)

_NAMED = {
    "\n": "a line break",
    "\r": "a carriage return",
    "\t": "a tab",
    "\0": "a zero byte",
    "\ufeff": "a byte order mark",
}


@dataclass(frozen=True, slots=True)
class Malformed:
    """A setting, or a variable of others in capitals, whose value cannot be meant.

    ``problem`` says what is wrong with it and never shows it.
    """

    name: str
    problem: str

    @property
    def variable(self) -> str:
        """The environment variable."""
        return self.name if self.name.isupper() else f"{ENV_PREFIX}{self.name.upper()}"

    def __str__(self) -> str:
        return f"{self.variable} {self.problem}"


def malformed(values: Mapping[str, object]) -> list[Malformed]:
    """The malformed ones of these values (setting → value); what is no text is not looked at."""
    problems = []
    for name, value in values.items():
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        problem = _problem(name, text) if isinstance(text, str) else None
        if problem is not None:
            problems.append(Malformed(name, problem))
    return problems


def malformed_identity(values: Mapping[str, object]) -> list[Malformed]:
    """The malformed variables of azure-identity, where these settings say that it signs in (OAUTHBEARER)."""
    if values.get("kafka_sasl_mechanism") != "OAUTHBEARER":
        return []
    given = {name: os.environ.get(name, "") for name in (*_IDENTITY, *_IDENTITY_SECRETS)}
    return [Malformed(name, problem) for name, text in given.items() if (problem := _problem(name, text)) is not None]


def identity_secrets() -> Iterator[tuple[str, str]]:
    """The secrets among those variables, each with the user that goes with it."""
    for name in _IDENTITY_SECRETS:
        if text := os.environ.get(name):
            yield text, os.environ.get("AZURE_USERNAME" if name == "AZURE_PASSWORD" else "AZURE_CLIENT_ID", "")


def _problem(name: str, text: str) -> str | None:
    if not text:
        return None
    if not text.strip():
        return "holds white space alone"
    for end, character in (("begins", text[0]), ("ends", text[-1])):
        if character.isspace() or character in _NAMED:
            return f"{end} with {_name(character)}"
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'`":
        return "stands in quotes, which belong to the shell or to .env and not to the value"
    if misplaced := _misplaced(name, text):
        return misplaced
    if text.isascii() and text.isprintable():
        return None
    return next((problem for character in text if (problem := _unfit(name, character)) is not None), None)


def _unfit(name: str, character: str) -> str | None:
    """What is wrong with one character of a value."""
    category = unicodedata.category(character)
    if category == "Cs":
        return "holds bytes that are not UTF-8"
    if category == "Cc":
        return f"holds {_name(character)}"
    if name in _PATHS:
        return None
    if category in ("Cf", "Zl", "Zp") or (category == "Zs" and character != " "):
        return f"holds {_name(character)}, which nobody sees"
    if character in "\ufffd\ufffe\uffff":
        return "holds a character that was lost when it was copied (U+FFFD)"
    if name in _IN_HEADERS and not character.isascii():
        return f"holds {_name(character)}, which an HTTP header cannot carry"
    return None


def _misplaced(name: str, text: str) -> str | None:
    """What is wrong with Event Hubs' user or password where it stands in the other's place."""
    if name == "kafka_sasl_password":
        return "holds the user's name: user and password are exchanged" if text == _EVENT_HUBS_USER else None
    if name == "kafka_sasl_username" and (_KEY_PART.search(text) or _KEY.fullmatch(text)):
        return f"holds a key of Event Hubs, which belongs into {ENV_PREFIX}KAFKA_SASL_PASSWORD"
    return None


def _name(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    if character == " ":
        return "a space"
    return f"the character U+{ord(character):04X}"
