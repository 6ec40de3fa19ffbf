"""Checks of senders that post to Event Hubs over HTTP: their address, their key, and how much they send at once."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from fraudstream.cloud.check.subject import Subject
from fraudstream.cloud.rules.quotas import TIERS
from fraudstream.cloud.rules.rule import Finding
from fraudstream.cloud.rules.table import rules
from fraudstream.core.configuration.connection_strings import event_hubs_mistakes, parse_event_hubs


def findings(subject: Subject) -> Iterator[Finding]:
    """All findings about them."""
    if subject.addressed:
        yield from _address(subject)
        yield from _key(subject)
    sku = str(subject.parameters.get("eventHubsSku", "Standard"))
    most = TIERS[sku].publication_bytes  # type: ignore[index]
    if most < subject.http_batch_bytes:
        text = f"a batch of {subject.http_batch_bytes:,} bytes, {sku} takes {most:,}"
        yield Finding(rules()["EH032"], "core.contract.topics.HTTP_BATCH_BYTES", text)


def _address(subject: Subject) -> Iterator[Finding]:
    settings = subject.settings
    if not settings.ingest_url:
        return
    address = urlsplit(settings.ingest_url)
    server = settings.kafka_bootstrap_servers.split(",")[0].rpartition(":")[0].strip()
    if address.scheme != "https" or address.hostname != server:
        shown = f"{address.scheme}://{address.hostname}, the namespace's host is {server}"
        yield Finding(rules()["EH030"], "FRAUDSTREAM_INGEST_URL", shown)


def _key(subject: Subject) -> Iterator[Finding]:
    text = subject.settings.ingest_connection_string.get_secret_value()
    where = "FRAUDSTREAM_INGEST_CONNECTION_STRING"
    for string in text.split():
        for mistake in event_hubs_mistakes(string, subject.hub_policies):
            yield Finding(rules()["EH031"], where, f"{mistake.problem}. {mistake.fix}")
        host = parse_event_hubs(string).host
        if host and not subject.settings.kafka_bootstrap_servers.startswith(f"{host}:"):
            yield Finding(rules()["EH031"], where, f"its namespace is {host}, the bootstrap servers are another's")
