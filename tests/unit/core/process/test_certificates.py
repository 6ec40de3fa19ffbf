"""Certificates that a client could not read are left out; the others keep their meaning in every folder."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import httpx
import pytest
import trustme

from fraudstream.core.process import certificates, environment

PEM = trustme.CA().cert_pem.bytes()
OTHER = trustme.CA().cert_pem.bytes()
KEY = trustme.CA().private_key_pem.bytes()
FILES = [name for name in certificates.VARIABLES if name != "SSL_CERT_DIR"]
BROKEN = {
    "cut": PEM[: len(PEM) // 2],
    "one and a half": PEM + OTHER[: len(OTHER) // 2],
    "the first line": b"-----BEGIN CERTIFICATE-----\n",
    "a key": KEY,
    "damaged": PEM.replace(PEM[28:38], b"AAAAAAAAAA"),
    "empty": b"",
    "a page": b"<html>not found</html>",
    "DER": ssl.PEM_cert_to_DER_cert(PEM.decode()),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_file_that_a_client_cannot_read_whole_does_not_pass(tmp_path: Path, name: str, content: bytes) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(content)
    assert name not in environment.made({name: str(file)})
    with pytest.raises(ssl.SSLError):
        ssl.create_default_context(cafile=str(file))


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_certificates_passes(tmp_path: Path, name: str) -> None:
    file = tmp_path / "ca.pem"
    for content in (PEM, b"# ours\r\n" + PEM + OTHER):
        file.write_bytes(content)
        assert environment.made({name: str(file)})[name] == str(file)


def test_a_folder_passes_where_clients_take_one(tmp_path: Path) -> None:
    passed = environment.made(dict.fromkeys(certificates.VARIABLES, str(tmp_path)))
    assert {name for name in certificates.VARIABLES if name in passed} == {*certificates.VARIABLES} - {"SSL_CERT_FILE"}
    several = os.pathsep.join(["/nowhere", str(tmp_path)])
    assert environment.made({"SSL_CERT_DIR": several})["SSL_CERT_DIR"] == several
    assert "REQUESTS_CA_BUNDLE" not in environment.made({"REQUESTS_CA_BUNDLE": several})


@pytest.mark.parametrize("name", certificates.VARIABLES)
@pytest.mark.parametrize("value", ["/nowhere/ca.pem", "", "/dev/null", f"/{'x' * 300}", "/proc/self/mem"])
def test_what_is_no_file_of_certificates_does_not_pass(name: str, value: str) -> None:
    assert name not in environment.made({name: value})


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert certificates.problem("SSL_CERT_FILE", str(tmp_path / "pipe")) == "is no file"


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(KEY)
    assert certificates.problem("SSL_CERT_FILE", str(file))
    file.write_bytes(PEM)
    os.utime(file, (1, 1))
    assert certificates.problem("SSL_CERT_FILE", str(file)) == ""


def test_a_relative_path_means_the_same_in_another_folder() -> None:
    Path("ca.pem").write_bytes(PEM)
    Path("certs").mkdir()
    variables = environment.made({"SSL_CERT_FILE": "ca.pem", "SSL_CERT_DIR": f"certs{os.pathsep}/etc"})
    assert variables["SSL_CERT_FILE"] == str(Path.cwd() / "ca.pem")
    assert variables["SSL_CERT_DIR"] == f"{Path.cwd() / 'certs'}{os.pathsep}/etc"


@pytest.mark.parametrize("content", [*BROKEN.values(), None], ids=[*BROKEN, "a folder"])
def test_a_client_is_made_in_the_environment_that_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    place = tmp_path / "ca"
    if content is None:
        place.mkdir()
    else:
        place.write_bytes(content)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    given = environment.made(dict.fromkeys(certificates.VARIABLES, str(place)))
    for name in certificates.VARIABLES:
        monkeypatch.setenv(name, given[name]) if name in given else monkeypatch.delenv(name, raising=False)
    httpx.Client().close()
