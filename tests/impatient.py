"""The command with little patience for a broker: the client asks for 30 s, of which one second is as good as any."""

from __future__ import annotations

import sys

_CODE = """
import runpy

from kafka import KafkaConsumer, KafkaProducer
from kafka.admin import KafkaAdminClient

for client in (KafkaAdminClient, KafkaConsumer, KafkaProducer):
    assert client.DEFAULT_CONFIG["bootstrap_timeout_ms"] == 30_000
    client.DEFAULT_CONFIG["bootstrap_timeout_ms"] = 1_000
runpy.run_module("fraudstream.runtime", run_name="__main__", alter_sys=True)
"""


def impatient(*words: str) -> list[str]:
    """``fraudstream WORDS`` for where nothing answers."""
    return [sys.executable, "-c", _CODE, *words]
