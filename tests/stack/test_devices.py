"""Devices of the IoT hub with the real broker: unchanged clients, the hub's rules, and nothing lost in a kill."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from kafka import TopicPartition
from paho.mqtt import client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from fraudstream.core.access import iot_hub
from fraudstream.core.access.iot_hub import HubPolicy, policy_of, token
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.contract.topics import TRANSACTIONS
from fraudstream.core.kafka.clients import consumer
from fraudstream.devices.client import HubClient
from fraudstream.devices.errors import HubRefused
from fraudstream.runtime.certificates import authority as certificates
from fraudstream.runtime.parts import devices
from fraudstream.runtime.parts.local import FURTHER_PARTS, frugal_environment
from fraudstream.runtime.supervise.part import Part
from fraudstream.runtime.supervise.preflight import free_port
from tests.missing import skip_without
from tests.stack.conftest import Running

pytestmark = pytest.mark.stack

CLIENTS = Path(__file__).parent / "device_clients"
# An address of this machine's own: Microsoft's client knows port 8883 alone, which others may use on 127.0.0.1.
HOST = "127.0.0.18"
TLS_PORT = 8883
SECONDS = 30.0


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("data")
    names = ("kafka_port", "kafka_controller_port", "mqtt_port", "iot_hub_port")
    server = certificates.create_server(folder / "certificates", (HOST, "localhost"))
    ports = {name: free_port() for name in names}
    return Settings(
        data_dir=folder,
        bind_host=HOST,
        iot_hub_host=HOST,
        iot_hub="HUB",
        mqtt_tls_port=TLS_PORT,
        tls_certificate=server.certificate,
        tls_key=server.key,
        mqtt_client_cafile=certificates.authority_files(folder / "certificates").certificate,
        kafka_bootstrap_servers=f"{HOST}:{ports['kafka_port']}",
        iot_hub_url=f"https://{HOST}:{ports['iot_hub_port']}",
        iot_hub_mqtt_url=f"mqtt://{HOST}:{ports['mqtt_port']}",
        **ports,
    )


@pytest.fixture(scope="module")
def running(broker: Running, settings: Settings) -> Iterator[Running]:
    running = Running(FURTHER_PARTS["devices"](settings), settings.data_dir / "devices.log")
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module", autouse=True)
def trust(settings: Settings) -> Iterator[None]:
    """All clients of this file trust the authority, and nobody else."""
    authority = certificates.authority_files(settings.data_dir / "certificates").certificate
    with pytest.MonkeyPatch.context() as variables:
        for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            variables.setenv(name, str(authority))
        yield


@pytest.fixture(scope="module")
def hub(running: Running, settings: Settings) -> Iterator[HubClient]:
    with HubClient(policy_of(settings), settings.iot_hub_url) as client:
        yield client


@pytest.fixture(scope="module")
def policy(running: Running, settings: Settings) -> HubPolicy:
    return policy_of(settings)


@pytest.fixture
def log(running: Running) -> Callable[[], str]:
    start = running.log.stat().st_size
    return lambda: running.log.read_text()[start:]


def created(hub: HubClient, device_id: str, **more: Any) -> dict[str, Any]:
    """A device of that id, new."""
    with contextlib.suppress(HubRefused):
        hub.delete(device_id)
    return hub.put({"deviceId": device_id, **more})


def key_of(identity: dict[str, Any]) -> str:
    return str(identity["authentication"]["symmetricKey"]["primaryKey"])


def password(device_id: str, key: str, seconds: float = 600) -> str:
    return token(f"{HOST}/devices/{device_id}", key, seconds)


class Device:
    """A device on paho-mqtt, over plain MQTT on this machine."""

    def __init__(self, settings: Settings, device_id: str, secret: str, *, port: int = 0, **options: Any) -> None:
        self.id = device_id
        self.port = port or settings.mqtt_port
        protocol = options.pop("protocol", mqtt.MQTTv311)
        clean = options.pop("clean_session", True)
        self.client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=options.pop("client_id", device_id),
            protocol=protocol,
            clean_session=None if protocol == mqtt.MQTTv5 else clean,
            reconnect_on_failure=options.pop("reconnects", False),
        )
        self.client.username_pw_set(options.pop("user", f"{HOST}/{device_id}/?api-version=2021-04-12"), secret)
        self.reasons: list[str] = []
        self.messages: list[tuple[str, bytes, int]] = []
        self.acknowledged: set[int] = set()
        self.changed = threading.Condition()
        self.connected = False
        self.ended = False
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self.client.on_message = self._on_message
        self.client.on_publish = self._on_publish
        self.subscribed: list[Any] = []
        self.client.on_subscribe = self._on_subscribe
        will = options.pop("will", None)
        if will is not None:
            self.client.will_set(*will)
        self.keep_alive = options.pop("keep_alive", 60)

    def __enter__(self) -> Device:
        self.client.connect(HOST, self.port, self.keep_alive)
        self.client.loop_start()
        self.wait(lambda: bool(self.reasons))
        return self

    def __exit__(self, *_: object) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def wait(self, condition: Callable[[], bool], seconds: float = SECONDS) -> bool:
        with self.changed:
            return self.changed.wait_for(condition, seconds)

    def send(self, text: str = "{}", bag: str = "", qos: int = 1) -> bool:
        sent = self.client.publish(f"devices/{self.id}/messages/events/{bag}", text, qos=qos)
        return self.wait(lambda: sent.mid in self.acknowledged or self.ended) and sent.mid in self.acknowledged

    def subscribe(self, topic: str, qos: int = 1) -> Any:
        before = len(self.subscribed)
        self.client.subscribe(topic, qos)
        self.wait(lambda: len(self.subscribed) > before or self.ended)
        return self.subscribed[-1] if len(self.subscribed) > before else None

    def got(self, part: str) -> tuple[str, bytes, int]:
        assert self.wait(lambda: any(part in message[0] for message in self.messages)), self.messages
        return next(message for message in self.messages if part in message[0])

    def _note(self, change: Callable[[], None]) -> None:
        with self.changed:
            change()
            self.changed.notify_all()

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        def change() -> None:
            self.reasons.append(str(reason))
            self.connected, self.ended = not reason.is_failure, reason.is_failure

        self._note(change)

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, _reason: Any, _properties: Any) -> None:
        def change() -> None:
            self.connected, self.ended = False, True
            self.reasons.append("disconnected")

        self._note(change)

    def _on_message(self, _client: Any, _data: Any, message: Any) -> None:
        self._note(lambda: self.messages.append((message.topic, message.payload, message.qos)))

    def _on_publish(self, _client: Any, _data: Any, number: int, _reason: Any, _properties: Any) -> None:
        self._note(lambda: self.acknowledged.add(number))

    def _on_subscribe(self, _client: Any, _data: Any, _number: int, reasons: Any, _properties: Any) -> None:
        self._note(lambda: self.subscribed.append(reasons[0].value))


def records(settings: Settings, device_id: str, count: int | None = None) -> list[Any]:
    """What the topic has of a device, once there are so many records."""
    reader = consumer(settings)
    until = time.monotonic() + SECONDS
    arrived: list[Any] = []
    try:
        parts = [TopicPartition(TRANSACTIONS, number) for number in reader.partitions_for_topic(TRANSACTIONS)]
        reader.assign(parts)
        while True:
            ends = reader.end_offsets(parts)
            while any(reader.position(part) < end for part, end in ends.items()):
                for batch in reader.poll(timeout_ms=200).values():
                    arrived += [record for record in batch if record.key == device_id.encode()]
            if count is None or len(arrived) >= count or time.monotonic() > until:
                return arrived
            time.sleep(0.1)
    finally:
        reader.close()


def headers(record: Any) -> dict[str, str]:
    return {name: value.decode() for name, value in record.headers}


def run_isolated(requirements: list[str], script: str, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    """A script in an environment of its own, which uv makes from the package index or its cache."""
    if (uv := shutil.which("uv")) is None:
        skip_without("uv", "https://docs.astral.sh/uv/")
    words = [str(uv), "run", "--no-project", "--isolated", "--quiet", "--python", sys.executable]
    words += [word for requirement in requirements for word in ("--with", requirement)]
    probe = subprocess.run([*words, "python", "-c", ""], capture_output=True, text=True, timeout=300, check=False)
    if probe.returncode:
        skip_without(requirements[0], "uv fetches it from the package index", detail=probe.stderr[-300:])
    return subprocess.Popen(
        [*words, "python", str(CLIENTS / script), *arguments], text=True, stdout=subprocess.PIPE, **options
    )


def answered(settings: Settings, *words: str) -> Any:
    """What a command prints, which succeeds."""
    done = subprocess.run(
        [sys.executable, "-m", "fraudstream.runtime", *words],
        env={**os.environ, **frugal_environment(settings)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout else None


@pytest.mark.parity("devices over MQTT", "local", "azure")
def test_a_message_lands_with_all_that_the_hub_knows_of_it(hub: HubClient, settings: Settings) -> None:
    identity = created(hub, "till-1")
    with Device(settings, "till-1", password("till-1", key_of(identity))) as device:
        assert device.send(
            '{"id": 1}', "$.ct=application%2Fjson&$.ce=utf-8&$.mid=m%201&$.cid=c&shop=Z%C3%BCrich&empty="
        )
        (record,) = records(settings, "till-1")
    assert record.value == b'{"id": 1}'
    named = headers(record)
    stamped = named.pop("iothub-enqueuedtime")
    assert stamped.endswith("Z")
    assert stamped > "2026"
    assert json.loads(named.pop("iothub-connection-auth-method")) == {
        "scope": "device",
        "type": "sas",
        "issuer": "iothub",
        "acceptingIpFilterRule": None,
    }
    assert named == {
        "iothub-connection-device-id": "till-1",
        "iothub-connection-auth-generation-id": identity["generationId"],
        "iothub-message-source": "Telemetry",
        "content-type": "application/json",
        "content-encoding": "utf-8",
        "message-id": "m 1",
        "correlation-id": "c",
        "shop": "Zürich",
        "empty": "",
    }


def test_qos_0_retained_messages_and_a_will_are_telemetry(hub: HubClient, settings: Settings) -> None:
    secret = password("till-2", key_of(created(hub, "till-2")))
    will = ("devices/till-2/messages/events/why=power", b"gone", 1, False)
    with Device(settings, "till-2", secret, will=will) as device:
        device.client.publish("devices/till-2/messages/events/", b"zero", qos=0)
        device.client.publish("devices/till-2/messages/events/", b"kept", qos=1, retain=True)
        records(settings, "till-2", 2)
        # The network is gone, and nobody has said DISCONNECT.
        device.client.socket().shutdown(socket.SHUT_RDWR)
        arrived = {record.value: headers(record) for record in records(settings, "till-2", 3)}
    assert arrived.keys() == {b"zero", b"kept", b"gone"}
    assert arrived[b"kept"]["mqtt-retain"] == "true"
    assert arrived[b"gone"]["iothub-MessageType"] == "Will"
    assert arrived[b"gone"]["why"] == "power"
    assert "mqtt-retain" not in arrived[b"zero"]


@pytest.mark.parametrize(
    ("topic", "body", "qos"),
    [
        ("devices/till-3/messages/events/", b"x", 2),
        ("devices/till-1/messages/events/", b"x", 1),
        ("devices/till-3/messages/events/a=%zz", b"x", 1),
        ("anything/else", b"x", 1),
        ("$SYS/broker", b"x", 1),
        ("devices/till-3/messages/events/", b"x" * (256 * 1024 + 1), 1),
        ("$iothub/twin/POST/?$rid=1", b"{}", 1),
    ],
)
def test_what_breaks_a_rule_of_the_hub_ends_the_connection(
    hub: HubClient, settings: Settings, topic: str, body: bytes, qos: int
) -> None:
    secret = password("till-3", key_of(created(hub, "till-3")))
    with Device(settings, "till-3", secret) as device:
        sent = device.client.publish(topic, body, qos)
        assert device.wait(lambda: device.ended)
        assert sent.mid not in device.acknowledged
    assert records(settings, "till-3") == []


def test_256_kilobytes_are_taken(hub: HubClient, settings: Settings) -> None:
    with Device(settings, "till-4", password("till-4", key_of(created(hub, "till-4")))) as device:
        assert device.send("x" * (256 * 1024))
    assert len(records(settings, "till-4")[0].value) == 256 * 1024


@pytest.mark.parametrize(
    "topic",
    ["#", "devices/+/messages/events/#", "devices/till-1/messages/devicebound/#", "$share/g/#", "$iothub/#"],
)
def test_a_device_subscribes_to_its_own_topics_alone(hub: HubClient, settings: Settings, topic: str) -> None:
    with Device(settings, "till-3", password("till-3", key_of(created(hub, "till-3")))) as device:
        assert device.subscribe(topic) is None
        assert device.wait(lambda: device.ended)


def test_five_subscriptions_at_a_time_and_qos_2_becomes_1(hub: HubClient, settings: Settings) -> None:
    with Device(settings, "till-3", password("till-3", key_of(created(hub, "till-3")))) as device:
        assert device.subscribe("devices/till-3/messages/devicebound/#", 2) == 1
        for name in ("a", "b", "c", "d"):
            assert device.subscribe(f"$iothub/methods/POST/{name}/#", 0) == 0
        assert device.subscribe("$iothub/twin/res/#") is None
        assert device.ended


def test_the_newer_connection_of_a_device_wins(hub: HubClient, settings: Settings) -> None:
    secret = password("till-5", key_of(created(hub, "till-5")))
    with Device(settings, "till-5", secret) as older, Device(settings, "till-5", secret) as newer:
        assert older.wait(lambda: older.ended)
        assert newer.send("newer")
        assert hub.get("till-5")["connectionState"] == "Connected"


def test_tokens_that_do_not_hold_let_nobody_in(hub: HubClient, settings: Settings, policy: HubPolicy) -> None:
    identity, other = created(hub, "till-6"), created(hub, "till-7")
    key = key_of(identity)
    good = password("till-6", key)
    refused = {
        "another device's": password("till-7", key_of(other)),
        "another key's": password("till-6", key_of(other)),
        "expired": password("till-6", key, -3600),
        "none": "",
        "no token": "secret",
        "cut off": good[:-10],
        "of a policy that may not connect": token(f"{HOST}/devices/till-6", policy.key, policy="service"),
        "of another hub": token("other.azure-devices.net/devices/till-6", key),
        "of a number that is none": good.replace("&se=", "&se=9" * 40),
        "megabytes": good + "&x=" + "y" * 60_000,
    }
    for name, secret in refused.items():
        with Device(settings, "till-6", secret) as device:
            assert device.reasons[0] == "Not authorized", name
            device.client.publish("devices/till-6/messages/events/", name, qos=0)
    accepted = {
        "by the secondary key": password("till-6", identity["authentication"]["symmetricKey"]["secondaryKey"]),
        "a clock that is minutes behind": password("till-6", key, -200),
        "far in the future": password("till-6", key, 10**9),
        "by a policy": token(HOST, policy.key, policy=policy.name),
        "with what clients add": token(f"{HOST}/devices/till-6/api-version=2016-11-14", key),
    }
    for name, secret in accepted.items():
        with Device(settings, "till-6", secret) as device:
            assert device.connected, name
            assert device.send(name)
    assert [record.value.decode() for record in records(settings, "till-6")] == list(accepted)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"user": f"{HOST}/till-7/?api-version=2021-04-12"}, "Not authorized"),
        ({"user": "other.azure-devices.net/till-6/?api-version=2021-04-12"}, "Not authorized"),
        ({"user": "till-6"}, "Not authorized"),
        ({"client_id": "till-7"}, "Not authorized"),
        ({"protocol": mqtt.MQTTv5}, "Unsupported protocol version"),
        ({"protocol": mqtt.MQTTv31}, "Unsupported protocol version"),
        ({"will": ("devices/till-7/messages/events/", b"x", 1, False)}, "Not authorized"),
    ],
)
def test_another_user_name_protocol_or_will_lets_nobody_in(
    hub: HubClient, settings: Settings, options: dict[str, Any], reason: str
) -> None:
    created(hub, "till-7")
    with Device(settings, "till-6", password("till-6", key_of(created(hub, "till-6"))), **options) as device:
        assert device.reasons[0] == reason
        assert not device.connected


def test_a_revoked_device_is_disconnected_and_its_messages_are_thrown_away(hub: HubClient, settings: Settings) -> None:
    identity = created(hub, "till-8")
    secret = password("till-8", key_of(identity))
    changes: list[Callable[[], object]] = [
        lambda: hub.put({"deviceId": "till-8", "status": "disabled"}, "*"),
        lambda: hub.put({"deviceId": "till-8", "authentication": {"symmetricKey": {"primaryKey": key}}}, "*"),
        lambda: hub.delete("till-8"),
    ]
    key = key_of(created(hub, "till-9"))
    for change in changes:
        with Device(settings, "till-8", secret) as device:
            assert device.connected
            change()
            assert device.wait(lambda: device.ended)
        with Device(settings, "till-8", secret) as again:
            assert again.reasons[0] == "Not authorized"
        secret = password("till-8", key_of(created(hub, "till-8")))


def test_a_token_ends_its_connection(hub: HubClient, settings: Settings) -> None:
    # The service's allowance for clocks is five minutes.
    with Device(settings, "till-9", password("till-9", key_of(created(hub, "till-9")), -298)) as device:
        assert device.connected
        assert device.wait(lambda: device.ended, 10)


def test_a_certificate_takes_the_place_of_a_token(hub: HubClient, settings: Settings) -> None:
    files = certificates.create_device(settings.data_dir / "certificates", "till-x")
    authority = certificates.authority_files(settings.data_dir / "certificates").certificate
    created(hub, "till-x", authentication={"type": "certificateAuthority"})
    created(hub, "till-y", authentication={"type": "certificateAuthority"})
    for device_id, reason in (("till-x", "Success"), ("till-y", "Not authorized")):
        device = Device(settings, device_id, "", port=TLS_PORT)
        device.client.username_pw_set(f"{HOST}/{device_id}/?api-version=2021-04-12")
        device.client.tls_set(str(authority), str(files.certificate), str(files.key))
        with device:
            assert device.reasons[0] == reason
            assert device.send("by certificate") is (reason == "Success")
    (record,) = records(settings, "till-x")
    assert json.loads(headers(record)["iothub-connection-auth-method"])["type"] == "x509"


def test_packets_that_are_none_and_connections_that_say_nothing_harm_nobody(
    hub: HubClient, settings: Settings, running: Running
) -> None:
    silent = [socket.create_connection((HOST, settings.mqtt_port)) for _ in range(50)]
    connect = b"\x10\x13\x00\x04MQTT\x04\x02\x00\x3c\x00\x07till-99"
    for packet in (
        b"\x00" * 64,
        b"\xff" * 64,
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x10\xff\xff\xff\xff\x7f",  # a length of more than four bytes
        b"\x10\xff\xff\xff\x7f" + b"\x00" * 4096,  # 256 MB announced
        connect[:-3],
        connect + connect,
        b"\x30\x08\x00\x04test{}",  # PUBLISH before CONNECT
        b"\x82\x06\x00\x01\x00\x01#\x00",
        connect.replace(b"MQTT", b"MQXX"),
        connect.replace(b"till-99", b"\xc3\x28\x00\x00\xff\xfe\xfd"),
    ):
        with socket.create_connection((HOST, settings.mqtt_port)) as connection:
            connection.sendall(packet)
            connection.settimeout(0.2)
            with contextlib.suppress(OSError):
                connection.recv(16)
    with Device(settings, "till-10", password("till-10", key_of(created(hub, "till-10")))) as device:
        assert device.send("still here")
    for connection in silent:
        connection.close()
    assert running.process.poll() is None
    assert records(settings, "test") == []


def test_a_device_that_falls_silent_is_disconnected(hub: HubClient, settings: Settings) -> None:
    secret = password("till-14", key_of(created(hub, "till-14")))
    user = f"{HOST}/till-14/?api-version=2021-04-12"
    words = [word.encode() for word in ("till-14", user, secret)]
    fields = b"".join(len(word).to_bytes(2, "big") + word for word in words)
    rest = b"\x00\x04MQTT\x04\xc2\x00\x01" + fields  # a keep-alive of one second
    length = bytes([len(rest) % 128 + 128, len(rest) // 128])
    with socket.create_connection((HOST, settings.mqtt_port), SECONDS) as connection:
        connection.sendall(b"\x10" + length + rest)
        assert connection.recv(4) == b"\x20\x02\x00\x00"
        assert connection.recv(1) == b""
    until = time.monotonic() + SECONDS
    while hub.get("till-14")["connectionState"] == "Connected" and time.monotonic() < until:
        time.sleep(0.1)
    assert hub.get("till-14")["connectionState"] == "Disconnected"


@pytest.mark.parametrize("written", ["till:15@x", "till%3A15%40x"])
def test_a_device_may_escape_its_id_in_topics(hub: HubClient, settings: Settings, written: str) -> None:
    device_id = "till:15@x"
    with Device(settings, device_id, password(device_id, key_of(created(hub, device_id)))) as device:
        device.id = written
        assert device.send("escaped")
        device.subscribe(f"devices/{written}/messages/devicebound/#")
        hub.send(device_id, b"hello", {})
        assert device.got(f"devices/{written}/messages/devicebound/")[1] == b"hello"


def test_a_flood_of_one_device_holds_up_no_other(hub: HubClient, settings: Settings) -> None:
    flooding = Device(settings, "till-11", password("till-11", key_of(created(hub, "till-11"))))
    flooding.client.max_inflight_messages_set(0)
    quiet = Device(settings, "till-12", password("till-12", key_of(created(hub, "till-12"))))
    with flooding, quiet:
        body = "x" * 100_000
        for _ in range(400):
            flooding.client.publish("devices/till-11/messages/events/", body, qos=0)
        began = time.monotonic()
        assert quiet.send("in between")
        assert time.monotonic() - began < 10
        assert flooding.wait(lambda: flooding.connected)
    assert len(records(settings, "till-11", 400)) == 400


def test_twins_methods_and_messages_reach_a_device_on_plain_mqtt(hub: HubClient, settings: Settings) -> None:
    identity = created(hub, "till-13")
    secret = password("till-13", key_of(identity))
    hub.send("till-13", b"while away", {"iothub-ack": "full", "iothub-messageid": "away"})
    with Device(settings, "till-13", secret) as device:
        for topic in ("twin/res/#", "twin/PATCH/properties/desired/#", "methods/POST/#"):
            device.subscribe(f"$iothub/{topic}", 0)
        device.client.publish("$iothub/twin/PATCH/properties/reported/?$rid=a1", b'{"level": 5, "gone": null}', 1)
        assert device.got("res/204/?$rid=a1&$version=2")
        for number, body in (("a2", b"{"), ("a4", b'{"a": %b%b}' % (b"[" * 300, b"]" * 300))):
            device.client.publish(f"$iothub/twin/PATCH/properties/reported/?$rid={number}", body, 1)
            assert device.got(f"res/400/?$rid={number}")
        hub.twin("till-13", {"tags": {"town": "Bern"}, "properties": {"desired": {"rate": {"a": 1}, "old": None}}})
        topic, body, _ = device.got("desired/?$version=2")
        assert json.loads(body) == {"rate": {"a": 1}, "old": None, "$version": 2}
        device.client.publish("$iothub/twin/GET/?$rid=a3", b"", 1)
        assert json.loads(device.got("res/200/?$rid=a3")[1]) == {
            "desired": {"rate": {"a": 1}, "$version": 2},
            "reported": {"level": 5, "$version": 2},
        }

        answers: list[Any] = []
        caller = threading.Thread(
            daemon=True, target=lambda: answers.append(hub.call("till-13", "reboot", {"in": 3}, 20))
        )
        caller.start()
        topic, body, qos = device.got("methods/POST/reboot/?$rid=")
        assert (json.loads(body), qos) == ({"in": 3}, 0)
        device.client.publish(f"$iothub/methods/res/418/?$rid={topic.rpartition('=')[2]}", b'{"tea": true}', 1)
        caller.join(SECONDS)
        assert answers == [{"status": 418, "payload": {"tea": True}}]

        device.subscribe("devices/till-13/messages/devicebound/#")
        topic, body, qos = device.got("devicebound/")
        assert (body, qos) == (b"while away", 1)
        assert "%24.mid=away" in topic
        assert device.wait(lambda: bool(hub.get("till-13")["cloudToDeviceMessageCount"] == 0), 10)
    assert [(record["originalMessageId"], record["statusCode"]) for record in hub.feedback()] == [("away", "Success")]
    with pytest.raises(HubRefused, match="DeviceNotOnline"):
        hub.call("till-13", "reboot", None, 5)


def test_a_device_that_comes_back_often_finds_its_messages_its_twin_and_its_methods(
    hub: HubClient, settings: Settings
) -> None:
    """What clients of brokers and hubs lost after some reconnections (mosquitto 898, emqx 16296, azure-iot-sdk-node 28,
    azure-iot-sdk-c 775, azure-iot-sdks 966)."""
    secret = password("back-1", key_of(created(hub, "back-1")))
    box = "devices/back-1/messages/devicebound/#"
    for number in range(12):
        hub.send("back-1", f"kept {number}".encode(), {})
        with Device(settings, "back-1", secret, clean_session=False) as device:
            # A device that crashes before it has acknowledged anything.
            device.client.manual_ack_set(True)
            device.subscribe(box)
            device.got("devicebound")
    hub.twin("back-1", {"properties": {"desired": {"rate": 7}}})
    with Device(settings, "back-1", secret, clean_session=False) as device:
        device.subscribe(box)
        assert device.wait(lambda: len({body for _, body, _ in device.messages}) == 12)
        device.subscribe("$iothub/twin/res/#", 0)
        device.subscribe("$iothub/methods/POST/#", 0)
        device.client.publish("$iothub/twin/GET/?$rid=1", b"", 1)
        assert json.loads(device.got("res/200/?$rid=1")[1])["desired"] == {"rate": 7, "$version": 2}
        answers: list[Any] = []
        caller = threading.Thread(daemon=True, target=lambda: answers.append(hub.call("back-1", "reboot", None, 20)))
        caller.start()
        topic, _, _ = device.got("methods/POST/reboot/?$rid=")
        device.client.publish(f"$iothub/methods/res/200/?$rid={topic.rpartition('=')[2]}", b"1", 1)
        caller.join(SECONDS)
        assert answers == [{"status": 200, "payload": 1}]
        assert device.wait(lambda: bool(hub.get("back-1")["cloudToDeviceMessageCount"] == 0), 10)


@pytest.mark.parity("unchanged clients of an IoT hub", "local", "azure")
@pytest.mark.parametrize("version", ["1.6.1", "2.1.0"])
def test_paho_mqtt_needs_no_change(hub: HubClient, settings: Settings, version: str) -> None:
    name = f"paho-{version[0]}"
    secret = password(name, key_of(created(hub, name)))
    authority = certificates.authority_files(settings.data_dir / "certificates").certificate
    user = f"{HOST}/{name}/?api-version=2021-04-12"
    arguments = (HOST, str(TLS_PORT), user, secret, name, str(authority))
    client = run_isolated([f"paho-mqtt=={version}"], "paho_device.py", *arguments)
    said = json.loads(client.communicate(timeout=120)[0])
    assert said == {
        "version": version,
        "published": True,
        "answers": {"$iothub/twin/res/200/?$rid=7": {"desired": {"$version": 1}, "reported": {"$version": 1}}},
    }
    assert [record.value for record in records(settings, name)] == [f'{{"from": "{name}"}}'.encode()]


@pytest.mark.parity("unchanged clients of an IoT hub", "local", "azure")
def test_microsofts_device_client_needs_no_change(hub: HubClient, settings: Settings) -> None:
    key = key_of(created(hub, "sdk"))
    authority = certificates.authority_files(settings.data_dir / "certificates").certificate
    connection = f"HostName={HOST};DeviceId=sdk;SharedAccessKey={key}"
    client = run_isolated(
        ["azure-iot-device==2.14.0"], "sdk_device.py", connection, str(authority), stdin=subprocess.PIPE
    )
    assert client.stdout is not None
    assert client.stdin is not None
    said = [json.loads(client.stdout.readline()) for _ in range(2)]
    assert said[0]["twin"] == {"desired": {"$version": 1}, "reported": {"firmware": "1.2", "$version": 2}}
    hub.send("sdk", b"hello", {"iothub-messageid": "m-1", "iothub-app-level": "3"})
    notice = {"what": "message", "text": "hello", "id": "m-1", "own": {"level": "3"}}
    assert json.loads(client.stdout.readline()) == notice
    assert hub.call("sdk", "reboot", [1, 2], 20) == {"status": 201, "payload": {"got": [1, 2]}}
    hub.twin("sdk", {"properties": {"desired": {"rate": 2}}})
    assert json.loads(client.stdout.readline()) == {"what": "desired", "patch": {"rate": 2, "$version": 2}}
    client.communicate(timeout=60)
    (record,) = records(settings, "sdk")
    assert headers(record)["shop"] == "Zürich & Söhne"
    assert headers(record)["message-id"] == "sdk-1"


@pytest.mark.parity("unchanged clients of an IoT hub", "local", "azure")
def test_microsofts_service_client_needs_no_change_over_rest(
    hub: HubClient, settings: Settings, policy: HubPolicy
) -> None:
    connection = (
        f"HostName={HOST}:{settings.iot_hub_port};SharedAccessKeyName={policy.name};SharedAccessKey={policy.key}"
    )
    client = run_isolated(["azure-iot-hub==2.7.0", "six"], "sdk_service.py", connection)
    said = json.loads(client.communicate(timeout=120)[0])
    assert said["created"] == "service-1"
    assert said["key"] == key_of(hub.get("service-1"))
    assert said["twin"] == {"rate": 4}
    assert said["found"] == ["service-1"]
    assert said["again"] == 409
    assert said["method"] == 404
    assert said["count"] >= 1


def test_services_use_the_rest_api_as_azures(hub: HubClient, settings: Settings, policy: HubPolicy) -> None:
    created(hub, "rest-1")
    query = {"api-version": "2021-04-12"}
    owner = {"Authorization": policy.token()}
    with httpx.Client(base_url=settings.iot_hub_url, params=query, headers=owner) as client:
        shown = client.get("/devices/rest-1")
        assert shown.headers["etag"] == f'"{shown.json()["etag"]}"'
        body = {"deviceId": "rest-1", "status": "enabled"}
        assert client.put("/devices/rest-1", json=body).status_code == 409
        stale = client.put("/devices/rest-1", json=body, headers={"If-Match": '"c3RhbGU="'})
        assert (stale.status_code, stale.headers["iothub-errorcode"]) == (412, "PreconditionFailed")
        assert client.put("/devices/rest-1", json=body, headers={"If-Match": shown.headers["etag"]}).status_code == 200
        assert client.get("/devices/nobody").status_code == 404
        assert client.delete("/devices/rest-1").status_code == 412
        for number in range(3):
            created(hub, f"page-{number}")
        pages = []
        following = ""
        while True:
            extra = {"x-ms-max-item-count": "2", "x-ms-continuation": following}
            text = {"query": "SELECT deviceId FROM devices WHERE STARTSWITH(deviceId, 'page-')"}
            page = client.post("/devices/query", json=text, headers=extra)
            pages.append([row["deviceId"] for row in page.json()])
            following = page.headers.get("x-ms-continuation", "")
            if not following:
                break
        assert pages == [["page-0", "page-1"], ["page-2"]]
        assert client.delete("/devices/rest-1", headers={"If-Match": "*"}).status_code == 204
    expired, forged = token(HOST, policy.key, -3600, policy.name), token(HOST, "AAAA" * 8, policy="service")
    for wrong in (None, "", "Bearer x", expired, forged):
        given = {} if wrong is None else {"Authorization": wrong}
        assert httpx.get(f"{settings.iot_hub_url}/devices", params=query, headers=given).status_code == 401
    assert httpx.get(f"{settings.iot_hub_url}/devices", headers=owner).status_code == 400


def test_no_request_that_the_api_describes_ends_in_a_server_error(
    hub: HubClient, settings: Settings, policy: HubPolicy
) -> None:
    """Methods wait for devices, and answer for them with 504: theirs is another test."""
    created(hub, "till-1")
    command = [Path(sys.executable).with_name("st"), "run", f"{settings.iot_hub_url}/openapi.json", "--no-color"]
    authority = certificates.authority_files(settings.data_dir / "certificates").certificate
    signed = ("-H", f"Authorization: {policy.token()}", "--tls-verify", str(authority))
    size = ("--seed", "7", "--phases", "coverage,fuzzing", "--max-examples", "10", "--max-time", "25")
    checks = ("--checks", "not_a_server_error", "--exclude-path-regex", "/methods$")
    done = subprocess.run([*command, *signed, *size, *checks], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert re.search(r"\d{3,} generated, \d{3,} passed", done.stdout), done.stdout[-1000:]
    # The token was taken: what an edge device asks about its children alone wants another one.
    assert not re.search(r"Authentication failed: (?!1 operation)", done.stdout), done.stdout[-1000:]


@pytest.mark.parity("nothing that a device was acknowledged is lost", "local", "azure")
def test_what_was_acknowledged_is_on_the_topic_though_broker_and_kafka_are_killed(
    hub: HubClient, settings: Settings, running: Running, broker: Running
) -> None:
    names = [f"kill-{number}" for number in range(20)]
    senders = [
        Device(settings, name, password(name, key_of(created(hub, name))), reconnects=True, clean_session=False)
        for name in names
    ]
    stop = threading.Event()
    sent: dict[str, dict[int, str]] = {name: {} for name in names}

    def send(device: Device) -> None:
        number = 0
        while not stop.is_set():
            message = device.client.publish(f"devices/{device.id}/messages/events/", f"{device.id}-{number}", qos=1)
            sent[device.id][message.mid] = f"{device.id}-{number}"
            number += 1
            stop.wait(0.02)

    with contextlib.ExitStack() as stack:
        for sender in senders:
            sender.client.reconnect_delay_set(1, 2)
            stack.enter_context(sender)
        stack.callback(stop.set)
        threads = [threading.Thread(target=send, args=(sender,), daemon=True) for sender in senders]
        for thread in threads:
            thread.start()
        time.sleep(2)
        (mqtt_broker,) = psutil.Process(running.process.pid).children()
        mqtt_broker.send_signal(signal.SIGKILL)
        time.sleep(2)
        broker.kill()
        broker.start()
        time.sleep(2)
        running.kill()
        running.start()
        until = time.monotonic() + 60
        while not all(sender.connected for sender in senders) and time.monotonic() < until:
            time.sleep(0.2)
        time.sleep(2)
        stop.set()
        for thread in threads:
            thread.join()
        for sender in senders:
            assert sender.wait(lambda: len(sender.acknowledged) >= len(sent[sender.id]), 60), sender.id  # noqa: B023
    arrived: dict[str, set[str]] = {name: set() for name in names}
    for name in names:
        arrived[name] = {record.value.decode() for record in records(settings, name)}
    for sender in senders:
        acknowledged = {text for number, text in sent[sender.id].items() if number in sender.acknowledged}
        assert len(acknowledged) > 50
        assert acknowledged <= arrived[sender.id]


def await_closed(port: int) -> bool:
    """Whether nobody listens there any more, soon."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        try:
            socket.create_connection((HOST, port), 1).close()
        except ConnectionRefusedError:
            return True
        time.sleep(0.05)
    return False


def test_sessions_that_cannot_be_read_keep_nobody_out(
    hub: HubClient, settings: Settings, running: Running, log: Callable[[], str]
) -> None:
    secret = password("till-16", key_of(created(hub, "till-16")))
    with Device(settings, "till-16", secret, clean_session=False) as device:
        device.subscribe("$iothub/methods/POST/#")
    assert running.stop() == 0
    files = list((iot_hub.folder(settings) / "broker" / "data" / "persistence").rglob("*.xd"))
    # Of a file with a sound beginning the store would take what it can read: that is no damage.
    for file in files:
        file.write_bytes(os.urandom(file.stat().st_size))
    assert files
    running.start()
    assert "sessions_set_aside" in log()
    with Device(settings, "till-16", secret, clean_session=False) as device:
        assert device.send("back")


def test_the_generator_sends_through_devices(hub: HubClient, settings: Settings) -> None:
    words = ["live", "--via", "mqtt", "--devices", "20", "--rate", "0", "--count", "400", "--first-id", "1", "--json"]
    assert answered(settings, "generate", *words)["produced"] == 400
    sent = [record for number in range(1, 21) for record in records(settings, f"terminal-{number}")]
    assert len({record.value for record in sent}) == len(sent) == 400


def edge_part(settings: Settings, device_id: str, key: str, port: int) -> Part:
    folder = iot_hub.edge_folder(settings, device_id)
    arguments = ("--edge", device_id, "--host", HOST, "--port", str(port), "--tls-port", str(free_port()))

    def listens() -> bool:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), 1):
            return True
        return False

    connection = f"HostName={HOST};DeviceId={device_id};SharedAccessKey={key}"
    env = {**frugal_environment(settings), "FRAUDSTREAM_IOT_EDGE_CONNECTION_STRING": connection}
    command = devices.command(settings, arguments)
    return Part("edge", command, listens, env, prepare=lambda: devices.prepare(folder), cwd=folder)


@pytest.mark.parity("devices behind an edge device", "local")
def test_the_first_systems_last_line_gives_a_child_that_sends_through_its_edge(
    hub: HubClient, settings: Settings, running: Running
) -> None:
    def command(*words: str) -> Any:
        return answered(settings, "device", *words)

    key = key_of(command("create", "-n", "HUB", "-d", "AIRobotEdge", "--ee"))
    identity = command("create", "-n", "HUB", "-d", "AIRobot1", "--pd", "AIRobotEdge")
    assert command("parent", "show", "-n", "HUB", "-d", "AIRobot1")["deviceId"] == "AIRobotEdge"
    assert command("children", "list", "-n", "HUB", "-d", "AIRobotEdge") == ["AIRobot1"]
    shown = command("connection-string", "show", "-n", "HUB", "-d", "AIRobot1", "--gateway", HOST)
    assert shown["connectionString"].endswith(f";GatewayHostName={HOST}")

    port = free_port()
    edge = Running(edge_part(settings, "AIRobotEdge", key, port), settings.data_dir / "edge.log")
    try:
        secret = password("AIRobot1", key_of(identity))
        with Device(settings, "AIRobot1", secret, port=port, clean_session=False) as child:
            assert child.send("near the hub")
            records(settings, "AIRobot1", 1)
            # The edge answers for the hub while it is away, and after a kill of its own.
            running.kill()
            assert child.send("far from the hub")
        edge.kill()
        assert await_closed(port)
        edge.start()
        with Device(settings, "AIRobot1", secret, port=port) as child:
            assert child.send("farther still")
        with Device(settings, "stranger", password("stranger", "AAAA" * 8), port=port) as stranger:
            assert stranger.reasons[0] == "Not authorized"
        running.start()
        arrived = records(settings, "AIRobot1", 3)
        with Device(settings, "AIRobot1", secret, port=port) as child:
            child.subscribe("$iothub/twin/res/#")
            child.subscribe("$iothub/methods/POST/#", 0)
            child.subscribe("devices/AIRobot1/messages/devicebound/#")
            until = time.monotonic() + SECONDS
            while not child.messages and time.monotonic() < until:
                child.client.publish("$iothub/twin/GET/?$rid=1", b"", 1)
                child.wait(lambda: bool(child.messages), 1)
            assert json.loads(child.got("res/200")[1])["reported"] == {"$version": 1}
            hub.send("AIRobot1", b"from above", {"iothub-ack": "full", "iothub-messageid": "above"})
            assert child.got("devicebound")[1] == b"from above"
    finally:
        edge.stop()
    # In order; what was on its way when the hub was killed may have come twice.
    texts = list(dict.fromkeys(record.value.decode() for record in arrived))
    assert texts == ["near the hub", "far from the hub", "farther still"]
    assert {headers(record)["iothub-connection-device-id"] for record in arrived} == {"AIRobot1"}


def test_no_token_and_no_key_is_logged(running: Running, settings: Settings, policy: HubPolicy) -> None:
    text = running.log.read_text() + (settings.data_dir / "edge.log").read_text()
    assert "SharedAccessSignature sr=" not in text
    assert policy.key not in text
    assert "sig=" not in text
