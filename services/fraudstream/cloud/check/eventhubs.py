"""Checks of Event Hubs: the connection, the clients' options, the hubs and the tier."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from fraudstream.cloud.check.subject import Subject
from fraudstream.cloud.rules.quotas import (
    IDLE_SECONDS,
    LEAST_REQUEST_TIMEOUT_MS,
    MOST_GROUP_ID_CHARACTERS,
    MOST_REQUEST_BYTES,
    SESSION_TIMEOUT_MS,
    TIERS,
    UNIT_INGRESS_EVENTS,
)
from fraudstream.cloud.rules.rule import Finding
from fraudstream.cloud.rules.table import rules
from fraudstream.core.configuration.addresses import broker_problem
from fraudstream.core.configuration.connection_strings import (
    EVENT_HUBS_DOMAIN,
    KAFKA_PORT,
    event_hubs_mistakes,
    parse_event_hubs,
)
from fraudstream.core.contract.topics import DAY_MS
from fraudstream.core.kafka.oauth import oauth_scope

# The stream job adds so many bytes to a transaction at most: the decision, its reasons and the event's source.
DECISION_BYTES = 16 * 1024

_MISTAKE_RULES = {
    "sas-token": "EH004",
    "entity-path-missing": "EH007",
    "endpoint-host": "EH009",
}


def option_problem(name: str, value: Any) -> tuple[str, str] | None:
    """The id of the rule that a client's option breaks and how, or None. ``name`` is the Java client's."""
    shown = f"{name}={value}"
    if name == "security.protocol" and value != "SASL_SSL":
        return "EH001", shown
    if name == "sasl.mechanism" and value not in ("PLAIN", "OAUTHBEARER"):
        return "EH002", shown
    if name == "compression.type" and value not in ("none", "", None):
        return "EH013", shown
    if name == "transactional.id":
        return "EH022", shown
    number = value if isinstance(value, int) else None
    if number is None:
        return None
    idle_ms = IDLE_SECONDS * 1000
    broken = {
        "max.request.size": ("EH011", number >= MOST_REQUEST_BYTES),
        "connections.max.idle.ms": ("EH014", number >= idle_ms),
        "metadata.max.age.ms": ("EH015", number >= idle_ms),
        "request.timeout.ms": ("EH016", number < LEAST_REQUEST_TIMEOUT_MS),
        "session.timeout.ms": ("EH023", not SESSION_TIMEOUT_MS[0] <= number <= SESSION_TIMEOUT_MS[1]),
    }.get(name)
    return (broken[0], shown) if broken is not None and broken[1] else None


def findings(subject: Subject, groups: set[str]) -> Iterator[Finding]:
    """All findings about the namespace."""
    if subject.addressed:
        yield from _connection(subject)
    for client, options in subject.clients.items():
        for name, value in options.items():
            problem = option_problem(name, value)
            if problem is not None:
                yield Finding(rules()[problem[0]], client, problem[1])
    yield from _tier(subject, groups)


def _connection(subject: Subject) -> Iterator[Finding]:
    settings, known = subject.settings, rules()
    # PR005 reports what is not host:port, without its text: it may be a connection string.
    addresses = (address.strip() for address in settings.kafka_bootstrap_servers.split(","))
    servers = [address for address in addresses if broker_problem(address) is None]
    where = "FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS"
    for server in servers:
        host, _, port = server.rpartition(":")
        if port != str(KAFKA_PORT):
            yield Finding(known["EH006"], where, f"{server} has port {port}, not {KAFKA_PORT}")
        elif not host.endswith(EVENT_HUBS_DOMAIN):
            yield Finding(known["EH006"], where, f"{host} is not below {EVENT_HUBS_DOMAIN[1:]}")
    if settings.kafka_sasl_mechanism == "OAUTHBEARER":
        scope = oauth_scope(settings)
        if scope.count("/") != 3 or not scope.endswith(f"{EVENT_HUBS_DOMAIN}/.default"):
            yield Finding(known["EH028"], "FRAUDSTREAM_KAFKA_OAUTH_SCOPE", f"the scope is {scope}")
        return
    if settings.kafka_sasl_username != "$ConnectionString":
        # The finding does not repeat the value: it may be the key.
        shown = "is another user" if settings.kafka_sasl_username else "is empty"
        yield Finding(known["EH003"], "FRAUDSTREAM_KAFKA_SASL_USERNAME", shown)
    text = settings.kafka_sasl_password.get_secret_value()
    if not text:
        return
    where = "FRAUDSTREAM_KAFKA_SASL_PASSWORD"
    for mistake in event_hubs_mistakes(text, subject.hub_policies):
        yield Finding(known[_MISTAKE_RULES.get(mistake.kind, "EH005")], where, f"{mistake.problem}. {mistake.fix}")
    parsed = parse_event_hubs(text)
    if parsed.host and servers and parsed.host.endswith(EVENT_HUBS_DOMAIN) and not servers[0].startswith(parsed.host):
        yield Finding(known["EH009"], where, f"its namespace is {parsed.host}, the bootstrap server {servers[0]}")
    if parsed.entity_path and len(subject.topics) > 1:
        is_ours = parsed.entity_path in {topic.name for topic in subject.topics}
        shown = f"EntityPath={parsed.entity_path}" if is_ours else "EntityPath is set"
        yield Finding(known["EH008"], where, f"{shown}, and {len(subject.topics)} hubs are used")


def _groups(groups: set[str], allowed: int, sku: str) -> Iterator[Finding]:
    # Kafka's groups span the namespace; each counts for every hub that it reads.
    if len(groups) > allowed:
        yield Finding(rules()["EH019"], "the code", f"{len(groups)} groups, {allowed} in {sku}")
    for group in sorted(groups):
        if len(group) > MOST_GROUP_ID_CHARACTERS:
            yield Finding(rules()["EH025"], "the code", f"a group's id has {len(group)} characters")


def _tier(subject: Subject, groups: set[str]) -> Iterator[Finding]:
    known = rules()
    sku = str(subject.parameters.get("eventHubsSku", "Standard"))
    tier = TIERS[sku]  # type: ignore[index]
    where = "azure/parameters"
    if not tier.kafka:
        yield Finding(known["EH010"], where, f"eventHubsSku is {sku}")
    hubs = subject.definitions["hubs"]
    if len(hubs) > tier.hubs:
        yield Finding(known["EH018"], "azure/definitions.json", f"{len(hubs)} hubs, {tier.hubs} in {sku}")
    for hub in hubs:
        if hub["partitions"] > tier.partitions:
            text = f"{hub['name']} has {hub['partitions']} partitions, {sku} allows {tier.partitions}"
            yield Finding(known["EH017"], "azure/definitions.json", text)
    for topic in subject.topics:
        if topic.retention_ms > tier.retention_days * DAY_MS:
            days = topic.retention_ms / DAY_MS
            yield Finding(
                known["EH021"], "core.contract.topics", f"{topic.name} keeps {days:g} days, {sku} {tier.retention_days}"
            )
        if topic.name not in {hub["name"] for hub in hubs}:
            yield Finding(known["EH026"], "azure/definitions.json", f"there is no hub {topic.name}")
    most = min(tier.publication_bytes, subject.settings.kafka_max_request_bytes)
    if most < subject.largest_event_bytes + DECISION_BYTES:
        text = f"an event of {subject.largest_event_bytes:,} bytes and its decision exceed {most:,}"
        yield Finding(known["EH012"], "core.contract.topics.MAX_EVENT_BYTES", text)
    yield from _groups(groups, tier.consumer_groups, sku)
    # A transaction comes in once and again as scored or rejected.
    needed = math.ceil(2 * subject.expected_events_per_second / UNIT_INGRESS_EVENTS)
    bought = int(subject.parameters.get("throughputUnits", 1))
    allowed = max(bought, int(subject.parameters.get("mostThroughputUnits", bought)))
    if needed > allowed:
        yield Finding(known["EH027"], where, f"{needed} throughput units are needed, {allowed} allowed")
