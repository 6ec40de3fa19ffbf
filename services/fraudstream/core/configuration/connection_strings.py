"""Event Hubs' and Cosmos DB's connection strings, with each usual mistake told apart.

The services answer most of these mistakes with one symptom (a refused login, or a topic that is never found), so that
reading the string says more than trying it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlsplit

KAFKA_PORT = 9093
COSMOS_PORT = 10255
EVENT_HUBS_DOMAIN = ".servicebus.windows.net"
COSMOS_DOMAIN = ".mongo.cosmos.azure.com"
DOCUMENTDB_DOMAIN = ".mongocluster.cosmos.azure.com"
_SAS_KEY_BYTES = 32
_COSMOS_KEY_BYTES = 64
_KNOWN_PARTS = ("Endpoint", "SharedAccessKeyName", "SharedAccessKey", "EntityPath", "UseDevelopmentEmulator")
# What may be shown of a string whose parts are not where they belong: no key has a dot, or letters alone before a `=`.
_PART = re.compile(r"[A-Za-z]{1,32}")
_HOST = re.compile(r"[\w-]+(?:\.[\w-]+)+")


@dataclass(frozen=True, slots=True)
class EventHubsString:
    """The parts of ``Endpoint=sb://…;SharedAccessKeyName=…;SharedAccessKey=…[;EntityPath=…]``; absent: empty."""

    host: str
    key_name: str
    key: str
    entity_path: str


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with a string, by a stable ``kind``, and how to correct it.

    It repeats nothing that could be the secret, wherever that was put by mistake: also not a user or a part's name.
    """

    kind: str
    problem: str
    fix: str


def parts(text: str) -> dict[str, str]:
    """The parts of a connection string, ``name=value;name=value``, as they stand."""
    pairs = (part.partition("=") for part in text.strip().split(";") if part.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}


def parse_event_hubs(text: str) -> EventHubsString:
    """The parts as they stand; whatever is missing is empty. Never raises: see :func:`event_hubs_mistakes`."""
    given = parts(text)
    try:
        host = urlsplit(given.get("Endpoint", "")).hostname or ""
    except ValueError:
        host = ""
    return EventHubsString(
        host,
        given.get("SharedAccessKeyName", ""),
        given.get("SharedAccessKey", ""),
        given.get("EntityPath", ""),
    )


def event_hubs_mistakes(text: str, hub_policies: Mapping[str, str] | None = None) -> list[Mistake]:
    """Every mistake in a connection string. ``hub_policies``: policy name → the hub that it belongs to."""
    text = text.strip()
    if text.startswith("SharedAccessSignature"):
        return [
            Mistake(
                "sas-token",
                "the password is a SAS token, which the Kafka endpoint does not take",
                "Use the policy's connection string (`az eventhubs namespace authorization-rule keys list`).",
            )
        ]
    if text != text.strip("\"'"):
        return [Mistake("quoted", "the connection string carries its quotes", "Remove the quotes around the value.")]
    mistakes: list[Mistake] = []
    named = parse_event_hubs(text)
    unknown = {name: value for name, value in parts(text).items() if name not in _KNOWN_PARTS}
    if not named.host:
        mistakes.append(
            Mistake(
                "endpoint",
                "the connection string has no `Endpoint=sb://<namespace>.servicebus.windows.net/`",
                "Copy the whole string; an unquoted `;` ends a value in shells.",
            )
        )
    elif not named.host.endswith(EVENT_HUBS_DOMAIN) and not _is_local(named.host):
        mistakes.append(
            Mistake(
                "endpoint-host",
                f"the endpoint's host{_shown_host(named.host)} is not below {EVENT_HUBS_DOMAIN[1:]}",
                "Copy the string of the Event Hubs namespace, not that of another service.",
            )
        )
    if not named.key_name:
        mistakes.append(
            Mistake("key-name", "`SharedAccessKeyName` is missing", "Copy the whole string from the policy's page.")
        )
    mistakes += _key_mistakes(named.key, _SAS_KEY_BYTES, "SharedAccessKey")
    owner = (hub_policies or {}).get(named.key_name)
    if owner and not named.entity_path:
        mistakes.append(
            Mistake(
                "entity-path-missing",
                f"the policy {named.key_name} belongs to the hub {owner}, but the string has no `EntityPath={owner}`",
                f"Append `;EntityPath={owner}`, or use a policy of the namespace.",
            )
        )
    if unknown:
        number = "an unknown part" if len(unknown) == 1 else f"{len(unknown)} unknown parts"
        # Without a part that is known, the text is a password of any kind.
        names = [name for name, value in unknown.items() if value and named.host and _PART.fullmatch(name)]
        listed = f": {', '.join(names)}" if names else ""
        mistakes.append(Mistake("unknown-part", f"the string has {number}{listed}", "Copy the string again."))
    return mistakes


def cosmos_mistakes(uri: str) -> list[Mistake]:
    """Every mistake in a Cosmos DB for MongoDB (RU) or Azure DocumentDB address."""
    try:
        address = urlsplit(uri)
        host, port = address.hostname or "", address.port
        cut_short = "@" not in address.netloc and "@" in address.path
    except ValueError:
        cut_short, host, port = True, "", None
    if cut_short:
        return [
            Mistake(
                "unescaped",
                "the password holds characters that end it (`/`, `@`, `:`), so that no host can be read",
                "Percent-encode user and password (`/` is %2F, `=` is %3D).",
            )
        ]
    mistakes: list[Mistake] = []
    if address.scheme == "mongodb+srv" or host.endswith(DOCUMENTDB_DOMAIN):
        if not address.username or not address.password:
            mistakes.append(
                Mistake("credentials", "the address has no user and password", "Add them, percent-encoded.")
            )
        return mistakes
    if not host.endswith(COSMOS_DOMAIN) and not _is_local(host):
        mistakes.append(
            Mistake(
                "cosmos-host",
                f"the host{_shown_host(host)} is not below {COSMOS_DOMAIN[1:]}",
                "Use the account's MongoDB address, not the one of its NoSQL endpoint.",
            )
        )
    elif host.endswith(COSMOS_DOMAIN) and address.username and unquote(address.username) != host.split(".")[0]:
        mistakes.append(
            Mistake(
                "account",
                f"the user is not the account {host.split('.')[0]}",
                "The user of Cosmos DB for MongoDB (RU) is the account's name, the password its key.",
            )
        )
    if port != COSMOS_PORT and not _is_local(host):
        mistakes.append(
            Mistake("cosmos-port", f"the port is {port or 'absent (27017)'}, not {COSMOS_PORT}", f"Add :{COSMOS_PORT}.")
        )
    if not address.username or not address.password:
        mistakes.append(
            Mistake(
                "credentials", "the address has no account and key", "Write mongodb://<account>:<key>@<host>:10255/."
            )
        )
    else:
        mistakes += _key_mistakes(unquote(address.password), _COSMOS_KEY_BYTES, "key")
    return mistakes


def cosmos_account(uri: str) -> str:
    """The account that the host of a Cosmos DB address names; empty where it names none."""
    try:
        host = urlsplit(uri).hostname or ""
    except ValueError:
        return ""
    return host.split(".")[0] if host.endswith(COSMOS_DOMAIN) else ""


def uri_options(uri: str) -> dict[str, str]:
    """The options of a MongoDB address, names in lower case."""
    return {name.lower(): value for name, value in parse_qsl(uri.partition("?")[2])}


def _shown_host(host: str) -> str:
    return f" {host}" if _HOST.fullmatch(host) else " (no host's name)"


def _key_mistakes(key: str, length: int, name: str) -> list[Mistake]:
    if not key:
        return [Mistake("key-missing", f"`{name}` is missing", "Copy the whole string.")]
    copied = f"Copy the {name} again: {length} bytes are {(length + 2) // 3 * 4} characters of base64, `=` included."
    try:
        decoded = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        return [Mistake("key-truncated", f"`{name}` is no base64 of {length} bytes: it was cut or changed", copied)]
    if len(decoded) < length:
        return [Mistake("key-truncated", f"`{name}` has {len(decoded)} bytes instead of {length}: it was cut", copied)]
    if len(decoded) > length:
        return [Mistake("key-length", f"`{name}` has {len(decoded)} bytes instead of {length}", copied)]
    return []


def _is_local(host: str) -> bool:
    return host in ("localhost", "127.0.0.1", "::1")
