"""A certificate authority for one rehearsal. Its key stays in the process, its certificates in the folder."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme


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
    authority = trustme.CA(organization_name="Fraudstream rehearsal")
    issued = authority.issue_cert("localhost", "127.0.0.1")
    certificates = Certificates(folder / "authority.pem", folder / "server.pem")
    authority.cert_pem.write_to_path(str(certificates.authority))
    certificates.server.touch(mode=0o600)
    issued.private_key_and_cert_chain_pem.write_to_path(str(certificates.server))
    return certificates
