"""Shared access policies: the keys with which senders sign, given as Event Hubs' own connection strings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fraudstream.core.access.shared_access import new_key
from fraudstream.core.configuration.connection_strings import parse_event_hubs, parts
from fraudstream.core.configuration.settings import ENV_PREFIX, Settings
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.process import folders, private_file

SEND = "Send"
_RIGHTS = ("Listen", "Send", "Manage")
_VARIABLE = f"{ENV_PREFIX}INGEST_CONNECTION_STRING"
_LEAST_KEY_CHARACTERS = 16


@dataclass(frozen=True, slots=True)
class Policy:
    """A key with a name, of the namespace (``hub`` is empty) or of one hub, and what it allows.

    ``host`` is the namespace's; a policy of two keys, as during a change of keys, is two policies of one name.
    """

    name: str
    hub: str
    host: str
    rights: frozenset[str]
    key: bytes = field(repr=False)


def policies(text: str) -> tuple[Policy, ...]:
    """The policies of one or several connection strings, separated by spaces.

    ``Rights=Listen,Send`` at the end of a string is a part of ours; without it a policy may send. Raises
    :class:`ConfigurationError`, which repeats nothing of a string.
    """
    return tuple(_policy(string, number) for number, string in enumerate(text.split(), 1))


def connection_string(settings: Settings) -> str:
    """The connection strings whose policies may send: those of the settings, or one that is kept in the data folder.

    Raises :class:`ConfigurationError` where it cannot be kept.
    """
    given = settings.ingest_connection_string.get_secret_value()
    return given or _own(settings)


def new_connection_string(policy: str, hub: str = "") -> str:
    """A connection string with a new key; without a ``hub`` it is for all. Nothing is stored."""
    entity = f";EntityPath={hub}" if hub else ""
    return f"Endpoint=sb://localhost/;SharedAccessKeyName={policy};SharedAccessKey={new_key()}{entity}"


def sending_policy(settings: Settings, hub: str) -> Policy:
    """The policy with which this machine's own senders sign for a hub: of the connection string of the ways in, or of
    the one with which Kafka's clients sign in to Event Hubs.

    Raises :class:`ConfigurationError` where none is for the hub.
    """
    given = settings.ingest_connection_string.get_secret_value()
    of_kafka = settings.kafka_sasl_password.get_secret_value()
    text = given or (of_kafka if parse_event_hubs(of_kafka).host else connection_string(settings))
    policy = next((policy for policy in policies(text) if policy.hub in ("", hub.lower())), None)
    if policy is None:
        raise ConfigurationError(f"{_VARIABLE} has no connection string for the hub {hub!r}. Add one of it.")
    return policy


def _own(settings: Settings) -> str:
    file = settings.data_dir.absolute() / "ingest" / "connection-string"
    try:
        if file.exists():
            return file.read_text("ascii").strip()
        folders.make(file.parent)
        text = new_connection_string("local-send")
        # Whoever is first has made it: `up` and a command may ask at the same time.
        private_file.write(file, f"{text}\n".encode(), new=True)
        return text
    except FileExistsError:
        return file.read_text("ascii").strip()
    except (OSError, UnicodeError) as error:
        raise folders.unusable(file, f"cannot be read or made ({type(error).__name__})") from error


def _policy(text: str, number: int) -> Policy:
    named = parse_event_hubs(text)
    where = f"{_VARIABLE} ({number}.)"
    form = "Write Endpoint=sb://<host>/;SharedAccessKeyName=<policy>;SharedAccessKey=<key>[;EntityPath=<hub>]."
    missing = [part for part, value in (("Endpoint", named.host), ("SharedAccessKeyName", named.key_name)) if not value]
    if missing:
        raise ConfigurationError(f"{where} has no {' and no '.join(missing)}. {form}")
    if len(named.key) < _LEAST_KEY_CHARACTERS:
        raise ConfigurationError(
            f"{where} has a SharedAccessKey of less than {_LEAST_KEY_CHARACTERS} characters. "
            "`fraudstream ingest connection-string --new` makes one."
        )
    return Policy(
        named.key_name, named.entity_path.lower(), named.host.lower(), _rights(text, where), named.key.encode()
    )


def _rights(text: str, where: str) -> frozenset[str]:
    rights = frozenset(parts(text).get("Rights", SEND).split(","))
    if not rights or not rights <= set(_RIGHTS):
        raise ConfigurationError(f"{where} has rights that there are not. Write Rights= with {', '.join(_RIGHTS)}.")
    # As in the service, who manages may do everything.
    return rights | {SEND} if "Manage" in rights else rights


def named(policies: Sequence[Policy], name: str, hub: str) -> list[Policy]:
    """The policies of this name that hold for a hub: its own, then those of the namespace."""
    return [policy for scope in (hub, "") for policy in policies if policy.name == name and policy.hub == scope]
