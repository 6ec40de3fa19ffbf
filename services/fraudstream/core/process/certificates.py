"""Which certificates our processes trust: those that the given variables name, where every client can read them."""

from __future__ import annotations

import functools
import os
import stat
from collections.abc import Mapping
from pathlib import Path

# OpenSSL's own (httpx reads both as well), and those of requests.
VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def made(given: Mapping[str, str]) -> dict[str, str]:
    """The variables whose certificates can be read, with whole paths: some parts work in a folder of their own."""
    usable = {name: given[name] for name in VARIABLES if given.get(name) and not problem(name, given[name])}
    return {name: os.pathsep.join(str(Path(word).absolute()) for word in _words(name, usable[name])) for name in usable}


def problem(name: str, value: str) -> str:
    """Why no certificates can be read from what the variable ``name`` names; empty if they can.

    HTTP clients end with an error when they are made with such a value, also for an address of this machine.
    """
    if name == "SSL_CERT_DIR":
        return "" if any(map(os.path.isdir, _words(name, value))) else "names no folder"
    try:
        status = os.stat(value)  # noqa: PTH116 - see core/process/places.py
    except (OSError, ValueError) as error:
        return f"cannot be read ({error})"
    if stat.S_ISDIR(status.st_mode):
        return "is a folder" if name == "SSL_CERT_FILE" else ""
    # A pipe would be waited for, and could be read once.
    return _file_problem(value, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else "is no file"


def _words(name: str, value: str) -> list[str]:
    """The paths in the value: the one variable of OpenSSL's for folders takes several."""
    return [word for word in value.split(os.pathsep) if word] if name == "SSL_CERT_DIR" else [value]


@functools.lru_cache(maxsize=8)
def _file_problem(file: str, _changed_at: int) -> str:
    # Tried as clients do it, which takes some hundredths of a second for a system's own bundle.
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)
    except ssl.SSLError:
        return "holds no certificate, or one that is cut off or damaged"
    except OSError as error:
        return f"cannot be read ({error})"
    return ""
