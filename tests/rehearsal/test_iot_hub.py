"""Every rule of an IoT hub, broken on purpose; devices that go on while the hub throttles them and drops them."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from kafka import TopicPartition

from fraudstream.cloud.rehearsal.iothub.hub import MOST_WAIT_SECONDS, IotHub
from fraudstream.cloud.rules import iothub_limits as limits
from fraudstream.cloud.rules.table import rules
from fraudstream.core.access.iot_hub import API_VERSION, policy_of, token
from fraudstream.core.contract.topics import TRANSACTIONS
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.kafka.clients import consumer
from fraudstream.generator.telemetry.sender import MqttProducer
from fraudstream.generator.telemetry.terminals import registered
from fraudstream.runtime.parts.local import FURTHER_PARTS
from tests.rehearsal.conftest import Cloud
from tests.rehearsal.raw_connection import Closed
from tests.rehearsal.raw_mqtt import PUBACK, PUBLISHED, RawMqtt
from tests.stack.conftest import Running

pytestmark = [pytest.mark.rehearsal, pytest.mark.timeout(600)]

CLOSES = -1
CONTROL_PLANE = 400
# More than any throttle lets through before a request would wait for too long.
LONG_SECONDS = 100 * MOST_WAIT_SECONDS


class HubOwner:
    """The hub's owner over REST, and one device over MQTT, through the hub's limits."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.policy = policy_of(cloud.front)
        self.client = httpx.Client(
            base_url=cloud.front.iot_hub_url,
            params={"api-version": API_VERSION},
            headers={"Authorization": self.policy.token()},
            verify=cloud.trust,
            timeout=60,
        )
        self.create("till")
        self.key = self.ask("GET", "/devices/till").json()["authentication"]["symmetricKey"]["primaryKey"]

    @property
    def hub(self) -> IotHub:
        return self.cloud.endpoints.hub

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self.client.request(method, path, **options)

    def create(self, device_id: str, **more: Any) -> int:
        return self.ask("PUT", f"/devices/{device_id}", json={"deviceId": device_id, **more}).status_code

    @contextmanager
    def device(self) -> Iterator[RawMqtt]:
        with RawMqtt(self.cloud.ports.hub_mqtt, self.cloud.trust) as connection:
            assert connection.sign_in("till", token("localhost/devices/till", self.key)) == 0
            yield connection

    @contextmanager
    def used_up(self, rule: str) -> Iterator[None]:
        """Others have used up what the units allow."""
        rate = self.hub.rates[rule]
        amount = rate.per_second * LONG_SECONDS
        rate.delay(amount)
        try:
            yield
        finally:
            rate.delay(-amount)


@pytest.fixture(scope="module")
def owner(cloud: Cloud) -> Iterator[HubOwner]:
    running = Running(FURTHER_PARTS["devices"](cloud.behind), cloud.behind.data_dir / "devices.log")
    cloud.endpoints.hub.deploy("S1", 20)
    known = HubOwner(cloud)
    yield known
    known.client.close()
    assert running.stop() == 0


def sent(owner: HubOwner, payload: bytes = b"{}") -> int:
    """0 for a message that is acknowledged."""
    with owner.device() as device:
        try:
            return 0 if device.publish("devices/till/messages/events/", payload)[0] == PUBACK else 1
        except Closed:
            return CLOSES


def throttled_message(owner: HubOwner) -> int:
    with owner.used_up("IH002"):
        return sent(owner)


def used_up_day(owner: HubOwner) -> int:
    figures, quota = owner.hub.figures, owner.hub.quota
    owner.hub.quota = figures.messages
    try:
        return sent(owner)
    finally:
        owner.hub.quota = quota


def throttled_connection(owner: HubOwner) -> int:
    with owner.used_up("IH003"), RawMqtt(owner.cloud.ports.hub_mqtt, owner.cloud.trust) as device:
        assert device.sign_in("till", token("localhost/devices/till", owner.key)) == 3
        try:
            device.read()
        except Closed:
            return CLOSES
    return 0


def twin_over_mqtt(owner: HubOwner, topic: str, body: bytes) -> int:
    """The status of the hub's answer, as it stands in its topic."""
    with owner.device() as device:
        device.subscribe("$iothub/twin/res/#")
        came = dict((device.publish(topic, body), device.read()))
        assert came.keys() == {PUBACK, PUBLISHED}
        return int(came[PUBLISHED][2:].split(b"/")[3])


def throttled_twin_read(owner: HubOwner) -> int:
    with owner.used_up("IH006"):
        assert owner.ask("GET", "/twins/till").status_code == 429
        return twin_over_mqtt(owner, "$iothub/twin/GET/?$rid=1", b"")


def throttled_twin_change(owner: HubOwner) -> int:
    with owner.used_up("IH007"):
        assert owner.ask("PATCH", "/twins/till", json={"tags": {"a": 1}}).status_code == 429
        return twin_over_mqtt(owner, "$iothub/twin/PATCH/properties/reported/?$rid=1", b"{}")


def throttled(rule: str, method: str, path: str, **options: Any) -> Callable[[HubOwner], int]:
    def violate(owner: HubOwner) -> int:
        with owner.used_up(rule):
            return owner.ask(method, path, **options).status_code

    return violate


def full_queue(owner: HubOwner) -> int:
    headers = {"iothub-to": "/devices/till/messages/devicebound"}
    statuses = [
        owner.ask("POST", "/messages/devicebound", content=b"x", headers=headers).status_code
        for _ in range(limits.MOST_COMMANDS_WAITING + 1)
    ]
    owner.ask("DELETE", "/devices/till/commands")
    assert set(statuses[:-1]) == {204}
    return statuses[-1]


def basic_tier(owner: HubOwner) -> int:
    tier = owner.hub.tier
    owner.hub.tier = limits.HUB_TIERS["B1"]
    try:
        return owner.ask("GET", "/twins/till").status_code
    finally:
        owner.hub.tier = tier


def deep_edges(owner: HubOwner) -> int:
    status, scope = 0, None
    for layer in range(limits.MOST_EDGE_LAYERS + 1):
        scopes = {} if scope is None else {"parentScopes": [scope]}
        status = owner.create(f"edge-{layer}", capabilities={"iotEdge": True}, **scopes)
        if status == 200:
            scope = owner.ask("GET", f"/devices/edge-{layer}").json()["deviceScope"]
    return status


def refused_deployment(*sizes: Any) -> Callable[[HubOwner], int]:
    def violate(owner: HubOwner) -> int:
        try:
            owner.hub.deploy(*sizes)
        except ConfigurationError as error:
            return int(str(error).split(":", 1)[0])
        return 0

    return violate


def shortened_key(owner: HubOwner) -> int:
    wrong = token(owner.policy.host, "AAAA" * 8, policy=owner.policy.name)
    return owner.ask("GET", "/devices/till", headers={"Authorization": wrong}).status_code


def plaintext(owner: HubOwner) -> int:
    with RawMqtt(owner.cloud.ports.hub_mqtt, None) as device:
        try:
            return device.sign_in("till", token("localhost/devices/till", owner.key))
        except Closed:
            return CLOSES


LARGE_TWIN = {"properties": {"desired": {f"n{number}": "x" * 4_000 for number in range(9)}}}
METHOD = {"methodName": "restart", "payload": None}
TO_TILL = {"iothub-to": "/devices/till/messages/devicebound"}

VIOLATIONS: list[tuple[str, Callable[[HubOwner], int], int]] = [
    ("IH001", used_up_day, CLOSES),
    ("IH002", throttled_message, CLOSES),
    ("IH003", throttled_connection, CLOSES),
    ("IH004", lambda owner: sent(owner, b"x" * (limits.MOST_MESSAGE_BYTES + 1)), CLOSES),
    ("IH005", throttled("IH005", "GET", "/devices/till"), 429),
    ("IH006", throttled_twin_read, 429),
    ("IH007", throttled_twin_change, 429),
    ("IH008", lambda owner: owner.ask("PATCH", "/twins/till", json=LARGE_TWIN).status_code, 413),
    ("IH009", throttled("IH009", "POST", "/twins/till/methods", json=METHOD), 429),
    ("IH010", throttled("IH010", "POST", "/messages/devicebound", content=b"x", headers=TO_TILL), 429),
    ("IH011", full_queue, 403),
    ("IH012", basic_tier, 403),
    ("IH013", deep_edges, 400),
    ("IH014", refused_deployment("S1", 1, 8), CONTROL_PLANE),
    ("IH016", shortened_key, 401),
    ("IH017", plaintext, CLOSES),
    ("IH019", refused_deployment("S3", 11), CONTROL_PLANE),
]


def test_every_rule_with_an_answer_is_tried() -> None:
    enforced = {rule.id for rule in rules().values() if rule.service == "iot hub" and rule.answer}
    assert {rule for rule, _, _ in VIOLATIONS} == enforced


@pytest.mark.parametrize(("rule", "violate", "code"), VIOLATIONS, ids=[rule for rule, _, _ in VIOLATIONS])
@pytest.mark.parity("rules of an IoT hub", "rehearsal")
def test_a_violation_is_refused(owner: HubOwner, rule: str, violate: Callable[[HubOwner], int], code: int) -> None:
    refusals = owner.hub.figures.refusals[rule]
    assert violate(owner) == code
    assert rules()[rule].answer.startswith("closes" if code == CLOSES else str(code))
    # What the control plane or TLS refuses never comes as far as the hub.
    assert owner.hub.figures.refusals[rule] > refusals or rule in ("IH014", "IH017", "IH019")


def test_what_keeps_the_rules_passes(owner: HubOwner) -> None:
    assert sent(owner, b"x" * limits.MOST_MESSAGE_BYTES) == 0
    assert twin_over_mqtt(owner, "$iothub/twin/GET/?$rid=1", b"") == 200
    assert owner.ask("GET", "/twins/till").status_code == 200
    assert owner.hub.figures.unread == {}


def test_a_packet_that_is_none_is_counted_and_harms_nobody(owner: HubOwner) -> None:
    with RawMqtt(owner.cloud.ports.hub_mqtt, owner.cloud.trust) as device:
        device.send(b"\x10\xff\xff\xff\xff\xff")
        with pytest.raises(Closed):
            device.read()
    assert owner.hub.figures.unread == {"MQTT packet": 1}
    assert sent(owner) == 0
    owner.hub.figures.unread.clear()


def stored(cloud: Cloud) -> list[bytes]:
    """The values of all records of devices on the topic."""
    reader = consumer(cloud.behind)
    try:
        parts = [TopicPartition(TRANSACTIONS, number) for number in reader.partitions_for_topic(TRANSACTIONS)]
        reader.assign(parts)
        reader.seek_to_beginning()
        ends, values = reader.end_offsets(parts), []
        while any(reader.position(part) < end for part, end in ends.items()):
            for records in reader.poll(timeout_ms=500).values():
                values += [record.value for record in records]
        return values
    finally:
        reader.close()


@pytest.mark.parity("nothing that a device was acknowledged is lost", "rehearsal")
def test_nothing_that_was_acknowledged_is_lost_while_the_hub_throttles_and_drops_devices(
    owner: HubOwner, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A neighbour uses the hub up, so that connections are closed; then a storm, and a cut of all of them."""
    monkeypatch.setenv("SSL_CERT_FILE", str(cloud.certificates.authority))
    hub, connections = owner.hub, owner.hub.figures.connections
    refused = hub.figures.refusals["IH002"]
    sender = MqttProducer(registered(cloud.front, 5), cloud.front.iot_hub_mqtt_url)
    texts = [json.dumps({"event": number}).encode() for number in range(200)]
    hub.rates["IH002"].delay(hub.rates["IH002"].per_second * (MOST_WAIT_SECONDS + 3))
    try:
        deliveries = [sender.send(TRANSACTIONS, text, None) for text in texts]
        wait_for(lambda: hub.figures.refusals["IH002"] > refused)
        wait_for(lambda: any(delivery.is_done for delivery in deliveries))
        cloud.endpoints.storm_devices(1.0, 0.25)
        assert cloud.endpoints.cut_devices() > 0
        for delivery in deliveries:
            delivery.get(timeout=60)
    finally:
        sender.close()
    assert set(texts) <= set(stored(cloud))
    # Each of the five connected, was refused or cut, and connected again.
    assert hub.figures.connections >= connections + 10


def wait_for(condition: Callable[[], bool]) -> None:
    until, waiting = time.monotonic() + 60, threading.Event()
    while not condition():
        assert time.monotonic() < until
        waiting.wait(0.02)
