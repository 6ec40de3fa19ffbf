"""The form of every address among the settings, looked at before a client is given it.

Clients answer an address that they cannot read late, each in its own words, or by trying for ever.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from fraudstream.core.configuration.malformed import Malformed

_MOST_PORT = 65_535
# Loose about names, so that a template's <namespace> passes here and is told as a placeholder.
_HOST = r"(?:\[[0-9A-Fa-f:.]+(?:%[\w.-]+)?\]|[^\s:/?#@\[\],]+)"
_PORT = "([0-9]{1,9})"
_BROKER = re.compile(rf"{_HOST}:{_PORT}")
_STORE_HOST = re.compile(rf"{_HOST}(?::{_PORT})?")
# What may be repeated: a port behind a name. A key, a password or `user:password` are put here by mistake, too.
_SHOWN = re.compile(r"(?:\w+://)?[\w.-]+:[0-9]{1,9}")


def malformed_addresses(values: Mapping[str, Any]) -> list[Malformed]:
    """The addresses among these values (setting → value) that have no usable form; empty ones are somebody else's."""
    malformed = []
    for name, problem_of in _FORMS.items():
        value = values.get(name)
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        problem = problem_of(text) if isinstance(text, str) and text else None
        if problem is not None:
            malformed.append(Malformed(name, problem))
    return malformed


def broker_problem(text: str) -> str | None:
    """What is wrong with a list of brokers, or None."""
    brokers = [broker.strip() for broker in text.split(",") if broker.strip()]
    if not brokers:
        return "names no broker. Write host:port, comma separated"
    for number, broker in enumerate(brokers, 1):
        shown = repr(broker) if _SHOWN.fullmatch(broker) else "an entry"
        if len(brokers) > 1:
            shown += f" ({number} of {len(brokers)})"
        if "://" in broker:
            return f"holds {shown} with a scheme. Write host:port alone, without http:// or sb://"
        if broker.count(":") > 1 and not broker.startswith("["):
            return f"holds {shown} with several colons. Write an IPv6 address as [::1]:9092"
        if ":" not in broker:
            return f"holds {shown} without a port. Write host:port, such as kafka:9092, comma separated"
        match = _BROKER.fullmatch(broker)
        if match is None:
            return f"holds {shown} that is no host:port. Write host:port, such as kafka:9092, comma separated"
        if not 0 < int(match[1]) <= _MOST_PORT:
            return f"holds {shown} with the port {match[1]}. A port is a number from 1 to {_MOST_PORT}"
    return None


def store_problem(text: str) -> str | None:
    """What is wrong with the document store's connection string, or None; nothing of it is repeated."""
    scheme, separator, rest = text.partition("://")
    problem = None
    if not separator or scheme not in ("mongodb", "mongodb+srv"):
        problem = "it does not begin with mongodb:// or mongodb+srv://"
    elif any(character.isspace() for character in text):
        problem = "it holds white space"
    else:
        place = re.split(r"[/?]", rest, maxsplit=1)[0]
        user_and_password, _, hosts = place.rpartition("@")
        matches = [_STORE_HOST.fullmatch(host) for host in hosts.split(",")]
        if (
            "@" in user_and_password
            or user_and_password.count(":") > 1
            or "@" in re.split(r"[?]", rest)[0][len(place) :]
        ):
            problem = "user or password hold a character that ends them (`/`, `@`, `:`)"
        elif not hosts or None in matches:
            problem = "no host or port can be read"
        elif any(match and match[1] and not 0 < int(match[1]) <= _MOST_PORT for match in matches):
            problem = f"a port is no number from 1 to {_MOST_PORT}"
        elif scheme == "mongodb+srv" and (len(matches) > 1 or any(match and match[1] for match in matches)):
            problem = "mongodb+srv:// takes one host without a port"
        elif re.search(r"%(?![0-9A-Fa-f]{2})", user_and_password):
            problem = "user or password hold a % that escapes nothing"
    if problem is None:
        return None
    return (
        f"is no usable connection string: {problem}. It has the form mongodb://user:password@host:port/?options, with "
        "user and password percent-encoded"
    )


def web_problem(text: str) -> str | None:
    """What is wrong with an http address, or None."""
    return _url_problem(text, ("http", "https"))


def mqtt_problem(text: str) -> str | None:
    """What is wrong with an MQTT broker's address, or None."""
    return _url_problem(text, ("mqtt", "mqtts"))


def registry_problem(text: str) -> str | None:
    """What is wrong with MLflow's address, or None: a server's, a workspace's, a database's or a folder's."""
    if "://" not in text and re.fullmatch(r"[\w.-]+:\d+", text):
        return "has no scheme. Write http://host:port"
    return _url_problem(text, ()) if text.startswith(("http:", "https:")) else None


def _url_problem(text: str, schemes: tuple[str, ...]) -> str | None:
    if any(character.isspace() for character in text):
        return "holds white space"
    try:
        address = urlsplit(text)
        host, port = address.hostname, address.port
    except ValueError:
        return "is no address: its host or port cannot be read"
    if schemes and address.scheme not in schemes:
        return f"does not begin with {' or '.join(f'{scheme}://' for scheme in schemes)}"
    if not host:
        return "names no host"
    return None if port is None or port > 0 else "has the port 0"


_FORMS: Mapping[str, Callable[[str], str | None]] = {
    "kafka_bootstrap_servers": broker_problem,
    "kafka_oauth_token_url": web_problem,
    "mongo_uri": store_problem,
    "mlflow_tracking_uri": registry_problem,
    "mlflow_url": web_problem,
    "scoring_url": web_problem,
    "dashboard_url": web_problem,
    "ingest_url": web_problem,
    "iot_hub_url": web_problem,
    "iot_hub_mqtt_url": mqtt_problem,
}
