"""Certificates of this machine: a server that clients trust by the authority alone, and devices that servers know."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fraudstream.core.errors import ConfigurationError
from fraudstream.runtime.certificates import authority
from fraudstream.runtime.certificates.cli import app


def shaken(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> dict[str, object]:
    """What the server sees of the client's certificate after their handshake over a pair of sockets."""
    ours, theirs = socket.socketpair()
    seen: list[dict[str, object]] = []

    def serve() -> None:
        try:
            with server.wrap_socket(ours, server_side=True) as connection:
                seen.append(connection.getpeercert() or {})  # type: ignore[arg-type]
                connection.recv(1)
        except (ssl.SSLError, OSError):
            ours.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(theirs, server_hostname=name) as connection:
            connection.send(b"x")
    finally:
        thread.join(5)
    return seen[0]


def server_context(folder: Path) -> ssl.SSLContext:
    files = authority.create_server(folder, ["localhost", "127.0.0.1", "::1", "ingest.example"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    return context


def client_context(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority.authority_files(folder).certificate)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1", "ingest.example"])
def test_a_client_with_the_authority_trusts_every_name_of_the_server(tmp_path: Path, name: str) -> None:
    assert shaken(server_context(tmp_path), client_context(tmp_path), name) == {}


def test_other_names_and_other_authorities_are_not_trusted(tmp_path: Path) -> None:
    server = server_context(tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError, match="not valid for"):
        shaken(server, client_context(tmp_path), "elsewhere.example")
    authority.create_authority(tmp_path / "other")
    with pytest.raises(ssl.SSLCertVerificationError, match="CERTIFICATE_VERIFY_FAILED"):
        shaken(server, client_context(tmp_path / "other"), "localhost")


def test_a_device_shows_its_id_and_no_device_passes_for_a_server(tmp_path: Path) -> None:
    server, client = server_context(tmp_path), client_context(tmp_path)
    server.verify_mode = ssl.CERT_REQUIRED
    server.load_verify_locations(authority.authority_files(tmp_path).certificate)
    device = authority.create_device(tmp_path, "pos-1")
    client.load_cert_chain(device.certificate, device.key)
    assert shaken(server, client, "localhost")["subject"] == ((("commonName", "pos-1"),),)
    posing = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    posing.load_cert_chain(device.certificate, device.key)
    with pytest.raises(ssl.SSLCertVerificationError):
        shaken(posing, client_context(tmp_path), "localhost")


def test_a_server_made_again_is_of_the_same_authority(tmp_path: Path) -> None:
    server_context(tmp_path)
    trusted = client_context(tmp_path)
    assert not authority.create_authority(tmp_path)
    assert shaken(server_context(tmp_path), trusted, "localhost") == {}


def test_keys_are_for_this_user_alone_also_where_others_could_read_them_before(tmp_path: Path) -> None:
    key = authority.server_files(tmp_path).key
    key.write_text("old")
    key.chmod(0o644)
    server_context(tmp_path)
    assert [file.stat().st_mode & 0o777 for file in tmp_path.glob("*.key")] == [0o600] * 2


@pytest.mark.parametrize("device", ["", "a/b", ".hidden", "x" * 65])
def test_a_device_without_a_usable_name_is_refused(tmp_path: Path, device: str) -> None:
    with pytest.raises(ConfigurationError, match="no name for a certificate"):
        authority.create_device(tmp_path, device)


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="neither a host's name nor an address"):
        authority.create_server(tmp_path, ["x" * 64])
    authority.authority_files(tmp_path).key.write_text("-----BEGIN")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        authority.create_server(tmp_path, ["localhost"])


def test_the_command_prints_the_settings_that_name_the_files(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["create", "--into", str(tmp_path), "--host", "ingest", "--device", "pos-1"])
    assert done.exit_code == 0
    assert (
        f"FRAUDSTREAM_TLS_CERTIFICATE={tmp_path}/server.pem\nFRAUDSTREAM_TLS_KEY={tmp_path}/server.key\n" in done.stdout
    )
    report = json.loads(CliRunner().invoke(app, ["create", "--into", str(tmp_path), "--json"]).stdout)
    assert (report["new_authority"], report["authority"]) == (False, str(tmp_path / "authority.pem"))
