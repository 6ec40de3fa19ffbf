"""A file of CA certificates that cannot be read whole stops a process at its start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from fraudstream.core.configuration.authorities import authority_problem
from fraudstream.core.configuration.required import start_settings
from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.kafka import clients as kafka

PEM = trustme.CA().cert_pem.bytes()
OTHER = trustme.CA().cert_pem.bytes()
KEY = trustme.CA().private_key_pem.bytes()


def der(pem: bytes) -> bytes:
    import ssl

    return ssl.PEM_cert_to_DER_cert(pem.decode())


CONTENTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "DER": (lambda: der(PEM), "is in DER (convert it: openssl x509 -inform der -in ca.pem -out ca.pem)"),
    "half": (lambda: PEM[: len(PEM) // 2], "is cut off"),
    "one and a half": (lambda: PEM + OTHER[: len(OTHER) // 2], "is cut off"),
    "the end alone": (lambda: PEM[len(PEM) // 2 :], "is cut off"),
    "damaged": (lambda: PEM.replace(PEM[28:38], b"AAAAAAAAAA"), "is damaged: its certificate 1 of 1"),
    "damaged after a good one": (lambda: OTHER + PEM.replace(PEM[28:38], b"AAAAAAAAAA"), "its certificate 2 of 2"),
    "a key": (lambda: KEY, "private key and no certificate"),
    "empty": (lambda: b"", "holds no certificate"),
    "a page": (lambda: b"<html>not found</html>", "holds no certificate"),
}


@pytest.mark.parametrize(("content", "says"), CONTENTS.values(), ids=CONTENTS)
def test_a_wrong_file_is_told(tmp_path: Path, content: Callable[[], bytes], says: str) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(content())
    assert says in str(authority_problem(file))


def test_good_files_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    for content in (PEM, PEM + OTHER, b"# Root\r\n" + PEM.replace(b"\n", b"\r\n") + b"\n"):
        file.write_bytes(content)
        assert authority_problem(file) is None


def test_a_start_names_the_variable_and_no_client_tries_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file, says in ((tmp_path / "none.pem", "cannot be read (No such file"), (tmp_path, "is a folder")):
        monkeypatch.setenv("FRAUDSTREAM_KAFKA_SSL_CAFILE", str(file))
        with pytest.raises(ConfigurationError) as caught:
            start_settings("kafka")
        assert str(caught.value).startswith(f"FRAUDSTREAM_KAFKA_SSL_CAFILE is {file}, which {says}")
        for build in (kafka.producer, kafka.consumer, kafka.create_topics):
            with pytest.raises(ConfigurationError, match="FRAUDSTREAM_KAFKA_SSL_CAFILE"):
                build(load_settings())


def test_a_file_that_the_stores_address_names_is_read_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAUDSTREAM_MONGO_URI", f"mongodb://host/?tls=true&tlsCAFile={tmp_path}/no%20ca.pem")
    with pytest.raises(ConfigurationError, match=r"^FRAUDSTREAM_MONGO_URI \(tlsCAFile\) is .*/no ca\.pem, which"):
        start_settings("mongo")
