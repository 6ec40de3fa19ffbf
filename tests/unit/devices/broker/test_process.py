"""The broker is answered, whatever one device's question does to the hub."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable
from typing import Any

from fraudstream.devices.broker.process import BrokerProcess

# Asks twice, and tells what it was answered.
BROKER = """
import json, sys
def say(**line):
    print(json.dumps(line), flush=True)
sys.stdin.readline()
say(tell="ready")
for number in (1, 2):
    say(ask="request", number=number)
    say(tell="got", line=json.loads(sys.stdin.readline()))
sys.stdin.read()
"""


class Failing:
    """Fails at once on the first question, and later on the second."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.changed = asyncio.Event()

    def asked(self, what: str, line: dict[str, Any]) -> dict[str, Any] | Awaitable[dict[str, Any]]:
        if line["number"] == 1:
            raise TypeError("no answer at once")
        return self._later()

    def told(self, what: str, line: dict[str, Any]) -> None:
        if what == "got":
            self.got.append(line["line"])
            self.changed.set()

    async def _later(self) -> dict[str, Any]:
        await asyncio.sleep(0)
        raise OSError("no answer later either")


def test_a_question_that_fails_ends_its_own_connection_and_nothing_else() -> None:
    async def run() -> list[dict[str, Any]]:
        listener = Failing()
        broker = BrokerProcess((sys.executable, "-I", "-S", "-c", BROKER), {}, listener)
        running = asyncio.ensure_future(broker.run())
        async with asyncio.timeout(30):
            while len(listener.got) < 2:
                await listener.changed.wait()
                listener.changed.clear()
                assert not running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return listener.got

    refused = {"refused": "it could not be answered"}
    assert asyncio.run(run()) == [{"number": 1, "answer": refused}, {"number": 2, "answer": refused}]
