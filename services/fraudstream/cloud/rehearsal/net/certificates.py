"""A certificate authority for one rehearsal: its key never leaves the process, its certificates die with the folder."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Certificates:
    """``authority``: what clients trust (PEM); ``server``: key and chain (PEM), for `localhost` and 127.0.0.1."""

    authority: Path
    server: Path

    def server_context(self) -> ssl.SSLContext:
        """TLS 1.2 and later, as Azure's endpoints take it."""
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
    made = Certificates(folder / "authority.pem", folder / "server.pem")
    authority.cert_pem.write_to_path(str(made.authority))
    made.server.touch(mode=0o600)
    issued.private_key_and_cert_chain_pem.write_to_path(str(made.server))
    return made
