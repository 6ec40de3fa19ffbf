"""The broker's stand-in reads the environment that the official image reads."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fraudstream.runtime.parts.standins import broker_properties


@pytest.mark.parametrize(
    ("variable", "setting"),
    [
        ("KAFKA_NODE_ID", "node.id"),
        ("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP", "listener.security.protocol.map"),
        ("KAFKA_A__B_C___D", "a_b.c-d"),
    ],
)
def test_a_variable_is_a_broker_setting(variable: str, setting: str) -> None:
    assert broker_properties({variable: "1"}) == {setting: "1"}


def test_other_variables_are_none() -> None:
    assert broker_properties({"PATH": "/bin", "CLUSTER_ID": "x", "KAFKA_HEAP_OPTS": "-Xmx1g"}) == {}


def test_an_unknown_part_is_refused_with_what_there_is() -> None:
    command = [sys.executable, "-m", "fraudstream.runtime.parts.standins", "redis"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "kafka|mongo" in done.stderr
