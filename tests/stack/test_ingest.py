"""Events in over HTTP with a real broker: plain clients, every token, and nothing lost while everything is killed."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from kafka import TopicPartition
from typer.testing import CliRunner

from fraudstream.core.access import shared_access
from fraudstream.core.access.policies import connection_string, policies
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import HTTP_BATCH_TYPE, LABELS, PUBLICATION_BYTES, TRANSACTIONS, VIA_HEADER
from fraudstream.core.kafka.clients import consumer
from fraudstream.dashboards.data.arrivals import Arrivals
from fraudstream.generator import cli
from fraudstream.ingest.access.issuer import NAME, Issuer
from fraudstream.runtime.certificates import authority as certificates
from fraudstream.runtime.parts.local import FURTHER_PARTS
from fraudstream.runtime.supervise.preflight import free_port
from tests.stack.conftest import Running

pytestmark = pytest.mark.stack

CONNECTIONS = 50
EVENT = b'{"id": 1, "amount": 12.50}'


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("data")
    ports = {name: free_port() for name in ("kafka_port", "kafka_controller_port", "ingest_port")}
    issuer = Issuer.in_folder(folder / "ingest")
    issuer.create()
    return Settings(data_dir=folder, ingest_jwks=issuer.jwks, ingest_token_issuer=NAME, **ports)


@pytest.fixture(scope="module")
def ingest(broker: Running, settings: Settings) -> Iterator[Running]:
    running = Running(FURTHER_PARTS["ingest"](settings), settings.data_dir / "ingest.log")
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def address(ingest: Running, settings: Settings) -> str:
    return settings.ingest_url


def token(settings: Settings, hub: str = TRANSACTIONS, seconds: int = 600) -> str:
    policy = policies(connection_string(settings))[0]
    return shared_access.token(f"localhost/{hub}", policy.key, int(time.time()) + seconds, policy.name)


def records(
    settings: Settings, topic: str = TRANSACTIONS, before: dict[TopicPartition, int] | None = None
) -> list[Any]:
    """The topic's records, from the offsets ``before`` on."""
    reader = consumer(settings)
    try:
        parts = [TopicPartition(topic, number) for number in reader.partitions_for_topic(topic)]
        reader.assign(parts)
        for part in parts:
            reader.seek(part, (before or {}).get(part, 0))
        ends = reader.end_offsets(parts)
        read: list[Any] = []
        while any(reader.position(part) < end for part, end in ends.items()):
            read += itertools.chain.from_iterable(reader.poll(timeout_ms=500).values())
        return read
    finally:
        reader.close()


def ends(settings: Settings, topic: str = TRANSACTIONS) -> dict[TopicPartition, int]:
    reader = consumer(settings)
    try:
        return reader.end_offsets([TopicPartition(topic, n) for n in reader.partitions_for_topic(topic)])  # type: ignore[no-any-return]
    finally:
        reader.close()


def curl(*words: str) -> tuple[int, str]:
    """Status and body of the answer that curl gets."""
    done = subprocess.run(
        ["curl", "-sS", "-w", "\n%{http_code}", *words], capture_output=True, text=True, timeout=60, check=True
    )
    body, _, status = done.stdout.rpartition("\n")
    return int(status), body


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_sends_events_and_batches_with_a_signature(address: str, settings: Settings, tmp_path: Any) -> None:
    before = ends(settings)
    url = f"{address}/{TRANSACTIONS}/messages?timeout=60&api-version=2014-01"
    signed = ("-H", f"Authorization: {token(settings)}")
    properties = ("-H", 'BrokerProperties: {"PartitionKey": "card-7"}', "-H", "Alert: storm")
    kind = ("-H", "Content-Type: application/atom+xml;type=entry;charset=utf-8")
    assert curl(url, *signed, *properties, *kind, "--data-binary", EVENT.decode()) == (201, "")
    batch = json.dumps([{"Body": "a"}, {"Body": "b", "UserProperties": {"n": 1}}])
    assert curl(url, *signed, "-H", f"Content-Type: {HTTP_BATCH_TYPE}", "--data-binary", batch) == (201, "")
    read = {record.value: record for record in records(settings, before=before)}
    assert read.keys() == {EVENT, b"a", b"b"}
    via = (VIA_HEADER, b"http")
    assert (read[EVENT].key, read[EVENT].headers) == (b"card-7", [("alert", b"storm"), via])
    assert read[b"b"].headers == [("n", b"1"), via]
    source = {"topic": TRANSACTIONS, "partition": read[EVENT].partition, "offset": read[EVENT].offset}
    assert Arrivals(settings).way({"source": source}) == "over HTTP"
    assert Arrivals(settings).way({"source": source | {"offset": 10**9}}) == ""
    # A body over the limit is announced, and refused before it is sent.
    large = tmp_path / "large"
    large.write_bytes(b"x" * (PUBLICATION_BYTES + 1))
    status, body = curl(url, *signed, *kind, "--data-binary", f"@{large}")
    assert (status, "RequestEntityTooLarge" in body) == (413, True)
    assert curl(url, *kind, "--data-binary", "x")[0] == 401


def test_httpx_sends_with_a_token_of_the_local_issuer(address: str, settings: Settings) -> None:
    before = ends(settings, LABELS)
    issuer = Issuer.in_folder(settings.data_dir / "ingest")
    headers = {"Authorization": f"Bearer {issuer.token(60)}"}
    with httpx.Client(base_url=address, headers=headers) as client:
        assert client.post(f"/{LABELS}/partitions/1/messages", content=EVENT).status_code == 201
        assert client.post(f"/{LABELS}/publishers/pos-1/messages", content=b"p").status_code == 201
        assert client.post("/scored/messages", content=EVENT).status_code == 403
        expired = {"Authorization": f"Bearer {issuer.token(-400)}"}
        assert client.post(f"/{LABELS}/messages", content=EVENT, headers=expired).status_code == 401
    read = records(settings, LABELS, before)
    assert {(record.value, record.key) for record in read} == {(EVENT, None), (b"p", b"pos-1")}
    assert next(record.partition for record in read if record.value == EVENT) == 1


def test_the_generator_posts_each_event_once_with_its_key(
    address: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("data_dir", "kafka_port", "kafka_controller_port", "ingest_port"):
        monkeypatch.setenv(f"FRAUDSTREAM_{name.upper()}", str(getattr(settings, name)))
    before = ends(settings)
    words = ("--via", "http", "--rate", "0", "--count", "600", "--malformed", "30", "--seed", "7", "--first-id", "1")
    done = CliRunner().invoke(cli.app, ["live", *words, "--json"], catch_exceptions=False)
    result = json.loads(done.stdout)
    # Of the malformed ones, those of more than 1 MB are refused, as in Azure.
    assert (result["produced"] + result["refused"], result["malformed"] + result["refused"]) == (600, 30)
    read = records(settings, before=before)
    assert len(read) == result["produced"]
    keys = Counter(record.key for record in read if record.key is not None)
    assert keys.total() >= 570
    assert {b"1", b"600"} <= keys.keys()


def test_slow_bodies_and_floods_of_wrong_tokens_do_not_block_others(address: str, settings: Settings) -> None:
    host, _, port = address.removeprefix("http://").partition(":")
    head = (
        f"POST /{TRANSACTIONS}/messages HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000000\r\n"
        f"Authorization: {token(settings)}\r\n\r\nx"
    )
    slow = [socket.create_connection((host, int(port))) for _ in range(200)]
    for connection in slow:
        connection.sendall(head.encode())

    async def flood(client: httpx.AsyncClient, ending: asyncio.Event) -> int:
        wrong = {"Authorization": token(settings).replace("sig=", "sig=A")}
        refused = 0
        while not ending.is_set():
            answer = await client.post(f"/{TRANSACTIONS}/messages", content=b"{}", headers=wrong)
            refused += answer.status_code == 401
        return refused

    async def run() -> tuple[int, list[float]]:
        ending, waits = asyncio.Event(), []
        async with httpx.AsyncClient(base_url=address, timeout=60) as client:
            floods = [asyncio.create_task(flood(client, ending)) for _ in range(20)]
            signed = {"Authorization": token(settings)}
            for _ in range(20):
                began = time.monotonic()
                answer = await client.post(f"/{TRANSACTIONS}/messages", content=b"{}", headers=signed)
                assert answer.status_code == 201
                waits.append(time.monotonic() - began)
            ending.set()
            return sum(await asyncio.gather(*floods)), waits

    try:
        refused, waits = asyncio.run(run())
    finally:
        for connection in slow:
            connection.close()
    assert refused >= 20
    # Behind the slow bodies they would wait until those are given up, after 20 s.
    assert max(waits) < 15


def test_no_request_that_the_api_describes_ends_in_a_server_error(address: str, settings: Settings) -> None:
    command = [Path(sys.executable).with_name("st"), "run", f"{address}/openapi.json", "--seed", "7", "--no-color"]
    signed = f"Authorization: {token(settings, '')}"
    checks = "not_a_server_error,status_code_conformance,content_type_conformance"
    size = ("--phases", "coverage,fuzzing", "--max-examples", "15", "--checks", checks)
    done = subprocess.run([*command, "-H", signed, *size], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert re.search(r"\d\d\d generated, (\d\d\d) passed", done.stdout), done.stdout[-1000:]
    # Not all of it was refused.
    assert 'requests_total{status="201"}' in httpx.get(f"{address}/metrics").text


def test_everything_acknowledged_is_there_although_the_parts_are_killed(
    ingest: Running, broker: Running, address: str, settings: Settings
) -> None:
    """Broker and service are killed under 50 senders, who repeat what was not acknowledged."""
    before = ends(settings)
    acknowledged: set[int] = set()
    statuses: Counter[str] = Counter()
    numbers = itertools.count(1)

    async def sender(client: httpx.AsyncClient, ending: asyncio.Event) -> None:
        while not ending.is_set():
            ids = [next(numbers) for _ in range(10)]
            batch = json.dumps([{"Body": str(id), "BrokerProperties": {"PartitionKey": str(id)}} for id in ids])
            while True:
                try:
                    answer = await client.post(
                        f"/{TRANSACTIONS}/messages?timeout=60",
                        content=batch,
                        headers={"Authorization": token(settings), "Content-Type": HTTP_BATCH_TYPE},
                    )
                    statuses[str(answer.status_code)] += 1
                    if answer.status_code == 201:
                        acknowledged.update(ids)
                        break
                    assert answer.status_code == 503, answer.text
                except httpx.TransportError as error:
                    statuses[type(error).__name__] += 1
                await asyncio.sleep(0.2)

    async def run() -> None:
        ending = asyncio.Event()
        limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        async with httpx.AsyncClient(base_url=address, timeout=70, limits=limits) as client:
            senders = [asyncio.create_task(sender(client, ending)) for _ in range(CONNECTIONS)]
            for kill, start in ((broker.kill, broker.start), (ingest.kill, ingest.start)):
                taken = len(acknowledged)
                while len(acknowledged) < taken + 1_000:
                    await asyncio.sleep(0.05)
                await asyncio.to_thread(kill)
                await asyncio.sleep(0.5)
                await asyncio.to_thread(start)
            taken = len(acknowledged)
            while len(acknowledged) < taken + 1_000:
                await asyncio.sleep(0.05)
            ending.set()
            await asyncio.gather(*senders)

    asyncio.run(asyncio.wait_for(run(), 120))
    stored = Counter(int(record.value) for record in records(settings, before=before))
    assert acknowledged - stored.keys() == set()
    assert stored.keys() <= acknowledged
    # The kill of the service was seen by its senders.
    assert sum(statuses.values()) > statuses["201"]
    again = sum(stored.values()) - len(stored)
    assert again <= 10 * CONNECTIONS * 2, (again, statuses)


def test_over_tls_clients_that_trust_our_authority_send_and_others_do_not(
    broker: Running, settings: Settings, tmp_path: Any
) -> None:
    files = certificates.create_server(tmp_path, certificates.own_hosts())
    port = free_port()
    with_tls = settings.model_copy(
        update={"tls_certificate": files.certificate, "tls_key": files.key, "ingest_port": port}
    )
    running = Running(FURTHER_PARTS["ingest"](with_tls), settings.data_dir / "ingest-tls.log")
    try:
        trusting = ssl.create_default_context(cafile=certificates.authority_files(tmp_path).certificate)
        post = partial(
            httpx.post,
            f"https://localhost:{port}/{TRANSACTIONS}/messages",
            content=EVENT,
            headers={"Authorization": token(settings)},
        )
        assert post(verify=trusting).status_code == 201
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            post()
        with pytest.raises(httpx.TransportError):
            httpx.post(f"http://localhost:{port}/{TRANSACTIONS}/messages", content=EVENT)
    finally:
        assert running.stop() == 0


def test_tokens_and_keys_are_in_no_log(ingest: Running, settings: Settings) -> None:
    logged = ingest.log.read_text() + (settings.data_dir / "ingest-tls.log").read_text()
    assert '"event": "starting"' in logged
    key = policies(connection_string(settings))[0].key.decode()
    assert key not in logged
    assert "sig=" not in logged
    assert os.stat(settings.data_dir / "ingest" / "connection-string").st_mode & 0o777 == 0o600  # noqa: PTH116
