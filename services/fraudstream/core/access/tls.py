"""The certificate that the ways in show, looked at before a listener is given it."""

from __future__ import annotations

import ssl

from fraudstream.core.configuration.settings import ENV_PREFIX, Settings
from fraudstream.core.errors import ConfigurationError


def check_certificate(settings: Settings) -> None:
    """Raise :class:`ConfigurationError`, naming the variables, where certificate and key are not usable together."""
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None and key is None:
        return
    variables = f"{ENV_PREFIX}TLS_CERTIFICATE and {ENV_PREFIX}TLS_KEY"
    advice = "`fraudstream certificates create` makes both and prints the settings."
    if certificate is None or key is None:
        raise ConfigurationError(f"Of {variables} one alone is set. {advice}")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except OSError as error:
        # Errors of TLS are errors of the system, too; those have no file's name, and a reason of their own.
        problem = getattr(error, "reason", None) or error.strerror or type(error).__name__
        raise ConfigurationError(f"{variables} are {certificate} and {key}: {problem}. {advice}") from error
