"""Files of CA certificates, read before a client is given one.

A client that cannot read its certificates tries for ever, or trusts the half that it could read.
"""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from urllib.parse import parse_qs

from fraudstream.core.configuration.malformed import ENV_PREFIX
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import ConfigurationError

_BEGIN = "-----BEGIN CERTIFICATE-----"
_END = "-----END CERTIFICATE-----"
_BLOCK = re.compile(f"{_BEGIN}.*?{_END}", re.S)
# A DER file is one ASN.1 sequence of more than 127 bytes.
_DER = (b"\x30\x82", b"\x30\x81")


def check_authorities(settings: Settings) -> None:
    """Raise :class:`ConfigurationError`, naming the variable, where a file of CA certificates is not usable whole."""
    files = [("KAFKA_SSL_CAFILE", settings.kafka_ssl_cafile)] if settings.kafka_ssl_cafile is not None else []
    options = parse_qs(settings.mongo_uri.get_secret_value().partition("?")[2])
    for name, values in options.items():
        if name.lower() == "tlscafile":
            files += [("MONGO_URI (tlsCAFile)", Path(value)) for value in values]
    for variable, path in files:
        problem = authority_problem(path)
        if problem is not None:
            raise ConfigurationError(
                f"{ENV_PREFIX}{variable} is {path}, which {problem}. It has to be a file of CA certificates in PEM."
            )


def authority_problem(path: Path) -> str | None:
    """Why the file is none of CA certificates in PEM, or None."""
    try:
        data = path.read_bytes()
    except IsADirectoryError:
        return "is a folder"
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    if data.startswith(_DER):
        return f"is in DER (convert it: openssl x509 -inform der -in {path.name} -out ca.pem)"
    text = data.decode("latin-1")
    begun, ended = text.count(_BEGIN), text.count(_END)
    if not begun and not ended:
        held = re.search(r"-----BEGIN ([A-Z0-9 ]+)-----", text)
        return f"holds a {held[1].lower()} and no certificate" if held else "holds no certificate"
    blocks = _BLOCK.findall(text)
    if not begun == ended == len(blocks):
        return "is cut off: a certificate in it has no beginning or no end"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for number, block in enumerate(blocks, 1):
        try:
            context.load_verify_locations(cadata=ssl.PEM_cert_to_DER_cert(block))
        except (ValueError, ssl.SSLError):
            return f"is damaged: its certificate {number} of {len(blocks)} cannot be read"
    return None
