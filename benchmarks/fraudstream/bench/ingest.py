"""Events in over HTTP while the whole chain runs: batches at a fixed rate, then single events without pause."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from fraudstream.bench import bounds
from fraudstream.bench.harness import figures
from fraudstream.bench.harness.http_load import answer_length, request
from fraudstream.bench.harness.load import SEED
from fraudstream.bench.harness.running import Report, Used
from fraudstream.bench.harness.source import live
from fraudstream.bench.harness.stage import Ends, Stage
from fraudstream.bench.whole import fraudstream, running_parts
from fraudstream.core.access import shared_access
from fraudstream.core.access.policies import sending_policy
from fraudstream.core.contract.topics import HTTP_BATCH_TYPE, TRANSACTIONS
from fraudstream.core.errors import FraudstreamError
from fraudstream.core.kafka.progress import GROUP_TOPICS
from fraudstream.runtime.accounting import lag
from fraudstream.runtime.supervise.state import read_state

# The project's bounds on two cores, with the whole chain running.
LEAST_BATCHED, LEAST_SINGLE = 2_000.0, 500.0

BATCHES, SINGLES = "batches", "single events"
_CREATED = b"HTTP/1.1 201"
_KEPT_SHARE = 0.995
_CATCH_UP_SECONDS = 600.0
_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """``connections`` send batches of ``batch`` events, ``rate`` events/s in all, for ``seconds``; then single ones.

    Without ``history`` there is no model, and nothing is scored.
    """

    seconds: float = 60.0
    single_seconds: float = 30.0
    rate: float = LEAST_BATCHED
    batch: int = 10
    connections: int = 50
    history: int = 20_000


@dataclass(slots=True)
class Load:
    """What the senders saw: events acknowledged, latencies (µs) by when a request was due, seconds, processor time."""

    events: int = 0
    latencies_us: list[int] = field(default_factory=list)
    seconds: float = 0.0
    client_seconds: float = 0.0


def measure(plan: Plan, report: Report) -> dict[str, Any]:
    """Measure; returns the results' own part."""
    with Stage() as stage:
        report("starting all parts")
        with running_parts(stage, "--with", "ingest"):
            if plan.history:
                report("training on history")
                fraudstream(stage, "generate", "history", "--count", str(plan.history))
                fraudstream(stage, "train", "--algorithm", "xgboost", "--await", str(plan.history))
            fraudstream(stage, "generate", "live", "--via", "http", "--rate", "20", "--for", "5", "--first-id", "1")
            report(f"{plan.rate:g} events/s in batches of {plan.batch} from {plan.connections} connections")
            batched = _measured(stage, plan, plan.batch, plan.seconds, plan.rate)
            report(f"single events from {plan.connections} connections")
            single = _measured(stage, plan, 1, plan.single_seconds, 0.0)
    runs = [{"contender": BATCHES} | batched, {"contender": SINGLES} | single]
    claims = bounds.at_least(
        f"events/s in batches of {plan.batch}", batched["events_per_second"], plan.rate * _KEPT_SHARE
    )
    claims += bounds.at_least("single events/s", single["events_per_second"], LEAST_SINGLE)
    claims += bounds.at_most("acknowledged events that are not on the topic", float(batched["missing"]), 0)
    return {
        "parameters": asdict(plan),
        "runs": runs,
        "summary": figures.summarised(runs, "contender"),
        "bounds": bounds.to_json(claims),
    }


def _measured(stage: Stage, plan: Plan, batch: int, seconds: float, rate: float) -> dict[str, Any]:
    state = read_state(stage.folder)
    pids = {name: part.pid for name, part in state.parts.items() if part.pid} if state else {}
    used = {name: Used(pid) for name, pid in pids.items()}
    ends = Ends(stage.settings, TRANSACTIONS)
    before = ends()
    load = asyncio.run(_load(stage, plan, batch, seconds, rate))
    processor = {name: share.since_last() / load.seconds for name, share in used.items()}
    arrived = ends() - before
    ends.close()
    waiting = _lag(stage)
    return {
        "events": load.events,
        "events_per_second": load.events / load.seconds,
        "requests_per_second": len(load.latencies_us) / load.seconds,
        "missing": max(load.events - arrived, 0),
        "client_processor_share": load.client_seconds / load.seconds,
        "processor": processor,
        "records_waiting_at_the_end": waiting,
        **({"seconds_to_catch_up": _catch_up(stage)} if plan.history else {}),
        **figures.latency_summary(load.latencies_us),
    }


async def _load(stage: Stage, plan: Plan, batch: int, seconds: float, rate: float) -> Load:
    load, each = Load(), batch * plan.connections / rate if rate else 0.0
    # Made beforehand: the senders share the processors with what is measured.
    needed = int((rate or 6_000.0) * seconds * 1.1) + batch * plan.connections
    bodies = _bodies(list(live(needed, SEED + batch)), batch)
    policy = sending_policy(stage.settings, TRANSACTIONS)
    token = shared_access.token(f"localhost/{TRANSACTIONS}", policy.key, int(time.time()) + 3_600, policy.name)
    headers = {"Authorization": token, "Content-Type": HTTP_BATCH_TYPE if batch > 1 else "application/json"}
    began, used = time.monotonic(), time.process_time()

    async def sender(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", stage.settings.ingest_port)
        due = began + number * each / plan.connections
        while due < began + seconds and (body := next(bodies, None)) is not None:
            await asyncio.sleep(max(due - time.monotonic(), 0.0))
            sent_at = due if rate else time.monotonic()
            writer.write(request("localhost", f"/{TRANSACTIONS}/messages?api-version=2014-01", body, headers))
            await _acknowledged(reader)
            load.latencies_us.append(int((time.monotonic() - sent_at) * 1e6))
            load.events += batch
            due = due + each if rate else time.monotonic()
        writer.close()

    await asyncio.gather(*(sender(number) for number in range(plan.connections)))
    load.seconds = max(time.monotonic() - began, seconds) if rate else time.monotonic() - began
    load.client_seconds = time.process_time() - used
    return load


def _bodies(events: Sequence[bytes], batch: int) -> Iterator[bytes]:
    if batch == 1:
        yield from events
        return
    for at in range(0, len(events), batch):
        yield orjson.dumps([{"Body": event.decode()} for event in events[at : at + batch]])


async def _acknowledged(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    body = await reader.readexactly(answer_length(head.rstrip()))
    if not head.startswith(_CREATED):
        raise FraudstreamError(f"The service answered {(head + body)[:500]!r}")


def _lag(stage: Stage) -> int:
    return sum(lag(stage.settings, group, *topics) for group, topics in GROUP_TOPICS.items())


def _catch_up(stage: Stage) -> float:
    """Seconds until all parts have finished what came in."""
    began = time.monotonic()
    while _lag(stage):
        if time.monotonic() - began > _CATCH_UP_SECONDS:
            raise FraudstreamError(f"{_lag(stage)} records still wait after {_CATCH_UP_SECONDS:g} s.")
        time.sleep(_POLL_SECONDS)
    return time.monotonic() - began
