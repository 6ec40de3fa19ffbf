"""A certificate and its key are looked at before a listener starts, and told by their variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from fraudstream.core.access.address import posting_address
from fraudstream.core.access.tls import check_certificate
from fraudstream.core.configuration.settings import load_settings
from fraudstream.core.errors import ConfigurationError
from fraudstream.runtime.certificates.authority import create_server


def test_a_certificate_with_its_key_passes_and_so_does_none(tmp_path: Path) -> None:
    files = create_server(tmp_path, ["localhost"])
    check_certificate(load_settings())
    settings = load_settings(tls_certificate=files.certificate, tls_key=files.key)
    check_certificate(settings)
    assert posting_address(settings) == "https://127.0.0.1:8088"
    assert posting_address(load_settings()) == "http://127.0.0.1:8088"


def test_what_cannot_be_used_is_told_by_its_variables(tmp_path: Path) -> None:
    files, other = create_server(tmp_path, ["localhost"]), create_server(tmp_path / "other", ["localhost"])
    for certificate, key, problem in (
        (files.certificate, None, "one alone is set"),
        (files.certificate, tmp_path / "gone", "No such file"),
        (files.certificate, other.key, "KEY_VALUES_MISMATCH"),
        (files.key, files.key, "NO_START_LINE|PEM"),
    ):
        with pytest.raises(ConfigurationError, match=rf"FRAUDSTREAM_TLS_CERTIFICATE.*({problem})"):
            check_certificate(load_settings(tls_certificate=certificate, tls_key=key))
