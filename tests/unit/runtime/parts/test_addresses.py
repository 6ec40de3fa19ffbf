"""One rule for the addresses of listeners."""

from __future__ import annotations

import pytest

from fraudstream.core.configuration.settings import Settings
from fraudstream.runtime.parts import kafka_broker
from fraudstream.runtime.parts.addresses import in_url, reachable


@pytest.mark.parametrize(
    ("bind_host", "host"),
    [
        ("0.0.0.0", "127.0.0.1"),  # noqa: S104 - compared, not bound to
        ("", "127.0.0.1"),
        ("::", "::1"),
        ("[::]", "::1"),
        ("0:0:0:0:0:0:0:0", "::1"),
        ("192.168.1.5", "192.168.1.5"),
        ("::1", "::1"),
        ("node", "node"),
    ],
)
def test_a_wildcard_is_reached_at_loopback(bind_host: str, host: str) -> None:
    assert reachable(bind_host) == host


def test_an_ipv6_address_stands_in_brackets() -> None:
    assert (in_url("::1"), in_url("127.0.0.1"), in_url("node")) == ("[::1]", "127.0.0.1", "node")
    properties = kafka_broker.server_properties(Settings(bind_host="::", kafka_port=1))
    assert properties["listeners"].startswith("PLAINTEXT://[::]:1,")
    assert properties["advertised.listeners"] == "PLAINTEXT://[::1]:1"
