"""The broker's process: started, spoken to over its stdin and stdout, and started again when it ends.

One JSON object a line: ``services/jvm/fraudstream/devices/Link.java`` is the other end.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

import orjson
import structlog

from fraudstream.core.errors import RuntimePartError
from fraudstream.core.output.text import error_text
from fraudstream.core.retry import Backoff
from fraudstream.devices.errors import HubUnavailable

# A message of 256 KB in Base64, and its topic.
_LONGEST_LINE = 1024 * 1024
_ANSWER_SECONDS = 30.0
_START_SECONDS = 60.0
_STOP_SECONDS = 5.0
_PAUSES = Backoff(0.2, 5.0)

log = structlog.get_logger(__name__)


class Listener(Protocol):
    """Who answers the broker."""

    def asked(self, what: str, line: dict[str, Any]) -> dict[str, Any] | Awaitable[dict[str, Any]]:
        """Answer a question of the broker."""
        ...

    def told(self, what: str, line: dict[str, Any]) -> None:
        """Take note of what has happened at the broker."""
        ...


class Speaker:
    """Who speaks to the broker, once it is attached."""

    def __init__(self) -> None:
        self._ask: Callable[..., Awaitable[Any]] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def attach(self, broker: BrokerProcess) -> None:
        """Speak to this broker."""
        self._ask = broker.ask

    async def tell(self, what: str, **values: Any) -> Any:
        """The broker's answer. Raises :class:`HubUnavailable` where it gives none."""
        if self._ask is None:
            raise HubUnavailable("The MQTT broker is not there at the moment. Try again in a second.")
        return await self._ask(what, **values)

    def start(self, work: Awaitable[Any]) -> None:
        """Have work done that speaks to the broker; while it is away, the work is given up."""

        async def finish() -> None:
            try:
                await work
            except HubUnavailable as error:
                log.warning("broker_away", reason=str(error))

        task = asyncio.ensure_future(finish())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class BrokerProcess:
    """The broker as long as :meth:`run` runs."""

    def __init__(self, command: Sequence[str], settings: Mapping[str, Any], listener: Listener) -> None:
        """``settings`` go over its stdin, as they hold secrets."""
        self._command = list(command)
        self._settings = dict(settings)
        self._listener = listener
        self._numbers = itertools.count(1)
        self._pending: dict[int, asyncio.Future[Any]] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self.ready = asyncio.Event()

    async def run(self) -> None:
        """Keep it running until :meth:`stop`. Raises :class:`RuntimePartError` when it cannot start at all."""
        was_ready, failures = False, 0
        while not self._stopping:
            problem = await self._run_once()
            if self._stopping:
                return
            was_ready = was_ready or problem is None
            if not was_ready:
                raise RuntimePartError(f"The MQTT broker cannot start: {problem}")
            log.error("broker_ended", reason=problem or "it was killed, or ended by itself")
            failures = 1 if problem is None else failures + 1
            await asyncio.sleep(_PAUSES.seconds(failures))

    async def stop(self) -> None:
        """End it in order."""
        self._stopping = True
        if (process := self._process) is None or process.stdin is None:
            return
        with suppress(HubUnavailable, TimeoutError):
            await asyncio.wait_for(self.ask("stop"), _STOP_SECONDS)
        process.stdin.close()

    async def ask(self, what: str, **values: Any) -> Any:
        """Its answer. Raises :class:`HubUnavailable` where it gives none."""
        if not self.ready.is_set():
            raise HubUnavailable("The MQTT broker is not there at the moment. Try again in a second.")
        number = next(self._numbers)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._pending[number] = answer
        try:
            self._write({"ask": what, "number": number, **values})
            return await asyncio.wait_for(answer, _ANSWER_SECONDS)
        except (TimeoutError, ConnectionError) as error:
            raise HubUnavailable("The MQTT broker did not answer. Try again in a second.") from error
        finally:
            self._pending.pop(number, None)

    async def _run_once(self) -> str | None:
        """Run it until it ends; returns why it could not start, None once it was ready."""
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
            # A terminal's Ctrl-C is for this process alone, which then ends that one in order.
            process_group=0,
        )
        self._process = process
        problem = f"it said nothing within {_START_SECONDS:.0f} s"
        try:
            self._write(self._settings)
            async with asyncio.timeout(_START_SECONDS):
                problem = await self._await_ready(process)
            if not self.ready.is_set():
                return problem
            log.info("broker_ready", pid=process.pid)
            async for line in _lines(process):
                self._take(line)
            return None
        except TimeoutError:
            return problem
        except (ConnectionError, ValueError) as error:
            return f"{type(error).__name__}: {error}"
        finally:
            self._forget()
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            self._process = None

    async def _await_ready(self, process: asyncio.subprocess.Process) -> str:
        async for line in _lines(process):
            if line.get("tell") == "ready":
                self.ready.set()
                self._listener.told("ready", line)
                return ""
            if line.get("tell") == "failed":
                return str(line.get("reason"))
            self._take(line)
        return f"it ended with status {await process.wait()}. Its log says more"

    def _forget(self) -> None:
        self.ready.clear()
        for answer in self._pending.values():
            if not answer.done():
                answer.set_exception(ConnectionError("the broker has ended"))
        self._pending.clear()
        if not self._stopping:
            self._listener.told("ended", {})

    def _write(self, line: dict[str, Any]) -> None:
        if self._process is None or self._process.stdin is None:
            raise ConnectionError("the broker is not there")
        self._process.stdin.write(orjson.dumps(line) + b"\n")

    def _take(self, line: dict[str, Any]) -> None:
        if "answer" in line:
            answer = self._pending.get(line["number"])
            if answer is not None and not answer.done():
                answer.set_result(line["answer"])
        elif "ask" in line:
            self._answer(line)
        elif line.get("tell") == "log":
            getattr(log, line["level"])(line["event"], **line["values"])
        else:
            self._listener.told(line["tell"], line)

    def _answer(self, line: dict[str, Any]) -> None:
        number = line["number"]
        try:
            answer = self._listener.asked(line["ask"], line)
        except Exception as error:
            # One device's message must not end the service of all.
            answer = _unanswered(error)
        if isinstance(answer, dict):
            self._reply(number, answer)
            return
        task = asyncio.ensure_future(self._reply_later(number, answer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _reply_later(self, number: int, answer: Awaitable[dict[str, Any]]) -> None:
        try:
            given = await answer
        except Exception as error:
            given = _unanswered(error)
        self._reply(number, given)

    def _reply(self, number: int, answer: dict[str, Any]) -> None:
        with suppress(ConnectionError):  # its device is gone with the broker
            self._write({"number": number, "answer": answer})


def _unanswered(error: Exception) -> dict[str, Any]:
    """What ends the connection of the device that asked."""
    log.error("answer_failed", reason=error_text(error))
    return {"refused": "it could not be answered"}


async def _lines(process: asyncio.subprocess.Process) -> AsyncIterator[dict[str, Any]]:
    if process.stdout is not None:
        async for line in process.stdout:
            yield orjson.loads(line)
