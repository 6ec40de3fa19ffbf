"""An authority of this machine, and the certificates that its listeners and devices show.

Clients are given `authority.pem` and nothing else; its key signs further certificates and stays here.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from fraudstream.core.errors import ConfigurationError
from fraudstream.core.process import folders, private_file

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

# Browsers and Apple's systems take no server certificate that holds for longer.
SERVER_DAYS = 397
_AUTHORITY_DAYS = 3_650
# A client's clock may be behind ours.
_EARLIER = timedelta(days=1)
_COMMON_NAME_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """A certificate and its private key, both PEM; a server's file holds its authority's certificate behind its own."""

    certificate: Path
    key: Path


def authority_files(folder: Path) -> CertificateFiles:
    """Where the authority of a folder lies: what clients trust, and the key that signs."""
    return CertificateFiles(folder / "authority.pem", folder / "authority.key")


def server_files(folder: Path) -> CertificateFiles:
    """Where the server's certificate of a folder lies."""
    return CertificateFiles(folder / "server.pem", folder / "server.key")


def own_hosts() -> list[str]:
    """The names and addresses by which this machine's listeners are reached from here."""
    return list(dict.fromkeys(("localhost", "127.0.0.1", "::1", socket.gethostname())))


def create_authority(folder: Path) -> bool:
    """Make the folder's authority, unless it has one; returns whether it is new. Raises :class:`ConfigurationError`."""
    from cryptography.hazmat.primitives.asymmetric import ec

    files = authority_files(folder)
    if files.certificate.exists() and files.key.exists():
        return False
    folders.make(folder)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _signed("Fraudstream local authority", key, key, None, timedelta(days=_AUTHORITY_DAYS), ())
    _write(files, key, [certificate])
    return True


def create_server(folder: Path, hosts: Sequence[str]) -> CertificateFiles:
    """Make a server's certificate for these names and addresses, in the place of an earlier one.

    Raises :class:`ConfigurationError` for a host that is neither, and where the folder cannot be written to.
    """
    return _issue(folder, server_files(folder), hosts[0], hosts)


def create_device(folder: Path, device: str) -> CertificateFiles:
    """Make the client certificate of a device, whose common name is the device's id. Raises as the others do."""
    if not 0 < len(device) <= _COMMON_NAME_CHARACTERS or "/" in device or device.startswith("."):
        raise ConfigurationError(
            f"{device!r} is no name for a certificate: give 1 to {_COMMON_NAME_CHARACTERS} characters without a slash."
        )
    files = CertificateFiles(folder / f"device-{device}.pem", folder / f"device-{device}.key")
    return _issue(folder, files, device, ())


def _issue(folder: Path, files: CertificateFiles, name: str, hosts: Sequence[str]) -> CertificateFiles:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    create_authority(folder)
    authority = authority_files(folder)
    try:
        issuer = x509.load_pem_x509_certificate(authority.certificate.read_bytes())
        signer = load_pem_private_key(authority.key.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(
            f"The authority in {folder} cannot be read ({type(error).__name__}). Take away its two files, "
            "`authority.pem` and `authority.key`, and create it again."
        ) from error
    if not isinstance(signer, ec.EllipticCurvePrivateKey):
        raise ConfigurationError(f"{authority.key} is no key of ours. Give another folder with --into.")
    key = ec.generate_private_key(ec.SECP256R1())
    shown = name[:_COMMON_NAME_CHARACTERS]
    certificate = _signed(shown, key, signer, issuer, timedelta(days=SERVER_DAYS), hosts)
    _write(files, key, [certificate, issuer])
    return files


def _signed(
    name: str,
    key: EllipticCurvePrivateKey,
    signer: EllipticCurvePrivateKey,
    issuer: x509.Certificate | None,
    lifetime: timedelta,
    hosts: Iterable[str],
) -> x509.Certificate:
    """A certificate: of an authority without an ``issuer``, of a server with ``hosts``, else of a device."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC).replace(microsecond=0)
    names = [_general_name(host) for host in hosts]
    is_authority = issuer is None
    usage = ExtendedKeyUsageOID.SERVER_AUTH if names else ExtendedKeyUsageOID.CLIENT_AUTH
    public = signer.public_key()
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if issuer is None else issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + lifetime)
        .add_extension(x509.BasicConstraints(is_authority, 0 if is_authority else None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        .add_extension(_key_usage(is_authority), critical=True)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if not is_authority:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _key_usage(is_authority: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        pass
    try:
        return x509.DNSName(host.encode("idna").decode())
    except UnicodeError:
        raise ConfigurationError(f"{host!r} is neither a host's name nor an address. Correct --host.") from None


def _write(files: CertificateFiles, key: EllipticCurvePrivateKey, certificates: Iterable[x509.Certificate]) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    text = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        private_file.write(files.key, private)
        files.certificate.write_bytes(text)
    except OSError as error:
        raise folders.unusable(files.certificate, f"cannot be written ({error.strerror or error})") from error
