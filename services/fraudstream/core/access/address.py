"""Where this machine's own senders post to, and whose certificates they trust there."""

from __future__ import annotations

import ssl

from fraudstream.core.configuration.settings import Settings


def posting_address(settings: Settings) -> str:
    """The address of the ingest service, without a slash at its end: https where it has a certificate.

    Empty where the settings name none, as in Azure.
    """
    address = settings.ingest_url.rstrip("/")
    return address.replace("http://", "https://", 1) if settings.tls_certificate is not None else address


def trusted(settings: Settings) -> ssl.SSLContext:
    """What clients usually trust, and the authority of the own certificate, which is in the chain of its file."""
    context = ssl.create_default_context()
    if settings.tls_certificate is not None:
        context.load_verify_locations(settings.tls_certificate)
    return context
