"""The certificates of one rehearsal's endpoints, of an authority that its folder alone has."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from fraudstream.core.process import private_file
from fraudstream.runtime.certificates.authority import authority_files, create_server


@dataclass(frozen=True, slots=True)
class Certificates:
    """``authority``: the CA that clients trust; ``server``: key and chain for `localhost` and 127.0.0.1; both PEM."""

    authority: Path
    server: Path

    def server_context(self) -> ssl.SSLContext:
        """TLS 1.2 and later, as at Azure's endpoints."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.server)
        return context

    def client_context(self) -> ssl.SSLContext:
        """Trusts this authority alone."""
        return ssl.create_default_context(cafile=self.authority)


def create(folder: Path) -> Certificates:
    """Make an authority and a server certificate in ``folder``, readable by this user only."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = create_server(folder, ("localhost", "127.0.0.1"))
    certificates = Certificates(authority_files(folder).certificate, folder / "endpoints.pem")
    # The endpoints and the broker read both from one file, the key first.
    private_file.write(certificates.server, files.key.read_bytes() + files.certificate.read_bytes())
    return certificates
