"""Checks of an IoT hub: its units against what devices send, our own hub's limits, and how clients reach it."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from fraudstream.asaql.compiling import plan_of
from fraudstream.asaql.errors import QueryError
from fraudstream.asaql.plan import nodes
from fraudstream.cloud.check.subject import SAMPLE_FILE, Subject
from fraudstream.cloud.rules import iothub_limits as limits
from fraudstream.cloud.rules.iothub_limits import HUB_TIERS, HubTier
from fraudstream.cloud.rules.rule import Finding
from fraudstream.cloud.rules.table import rules
from fraudstream.core.access.iot_hub import HubPolicy, decoded
from fraudstream.core.errors import ConfigurationError

DOMAIN = ".azure-devices.net"
_PARAMETERS = "azure/parameters"
_KEY_BYTES = 32
_BUILT_IN_PREFIX = "iothub-ns-"
_OWN = "services/fraudstream/devices"
# Constants of our own hub, and of what sends through devices: module, name, the rule, and the service's limit.
_OWN_LIMITS: tuple[tuple[str, str, str, Any], ...] = (
    ("generator/fraudstream/generator/telemetry/sender.py", "LARGEST_MESSAGE", "IH004", limits.MOST_MESSAGE_BYTES),
    (f"{_OWN}/registry/twins.py", "MOST_BYTES", "IH008", limits.MOST_TWIN_BYTES),
    (f"{_OWN}/methods.py", "MOST_BYTES", "IH009", limits.MOST_METHOD_BYTES),
    (f"{_OWN}/registry/mailbox.py", "MOST_QUEUED", "IH011", limits.MOST_COMMANDS_WAITING),
    (f"{_OWN}/registry/mailbox.py", "MOST_BYTES", "IH011", limits.MOST_COMMAND_BYTES),
    (f"{_OWN}/registry/identities.py", "MOST_CHILDREN", "IH013", limits.MOST_CHILDREN),
    (f"{_OWN}/registry/identities.py", "MOST_LAYERS", "IH013", limits.MOST_EDGE_LAYERS),
)
_OPERATIONS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Mult: operator.mul,
    ast.Add: operator.add,
    ast.Sub: operator.sub,
}


def findings(subject: Subject) -> Iterator[Finding]:
    """All findings about devices; what depends on the hub's size only where the templates have one."""
    yield from _own_limits(subject)
    if subject.addressed:
        yield from _reading(subject)
        yield from _sign_in(subject)
    units = int(subject.parameters.get("iotHubUnits", 0))
    if units:
        tier = HUB_TIERS[subject.parameters.get("iotHubSku", "S1")]
        yield from _telemetry(subject, tier, units)
        yield from _devices(subject, tier, units)
        yield from _deployment(subject, tier, units)
        yield from _keys(subject)


def _telemetry(subject: Subject, tier: HubTier, units: int) -> Iterator[Finding]:
    known, size = rules(), subject.sample_event_bytes
    expected = float(subject.parameters.get("expectedDeviceEventsPerSecond", subject.expected_events_per_second))
    daily, quota = expected * limits.DAY_SECONDS * tier.messages(size), tier.daily_messages * units
    if daily > quota:
        text = f"{expected:,.0f} events a second are {daily:,.0f} messages a day, the units have {quota:,}"
        yield Finding(known["IH001"], _PARAMETERS, text)
    if expected > tier.sends.per_second(units):
        text = f"{expected:,.0f} events a second, the units take {tier.sends.per_second(units):,.0f}"
        yield Finding(known["IH002"], _PARAMETERS, text)
    if size > limits.MOST_MESSAGE_BYTES:
        text = f"an event of {size:,} bytes, a hub takes {limits.MOST_MESSAGE_BYTES:,}"
        yield Finding(known["IH004"], SAMPLE_FILE, text)


def _devices(subject: Subject, tier: HubTier, units: int) -> Iterator[Finding]:
    """What so many devices do: each connects when its token ends, reads its twin, and reports once."""
    devices = int(subject.parameters.get("expectedDevices", 100))
    often = devices / limits.TOKEN_SECONDS
    asked = [("IH003", "connections", often, tier.connections)]
    if tier.complete:
        asked += [("IH006", "reads of twins", often, tier.twin_reads)]
        asked += [("IH007", "changes of twins", often, tier.twin_updates)]
    # Each is registered once, in a day at the longest.
    asked += [("IH005", "registrations", devices / limits.DAY_SECONDS, tier.registry)]
    for rule, what, rate, throttle in asked:
        allowed = throttle.per_second(units)
        if rate > allowed:
            text = f"{devices:,} devices are {rate:,.1f} {what} a second, the units take {allowed:,.1f}"
            yield Finding(rules()[rule], _PARAMETERS, text)
    commands = float(subject.parameters.get("expectedCommandsPerMinute", 0))
    if commands > tier.commands.per_second(units) * 60:
        text = (
            f"{commands:,.0f} messages to devices a minute, the units send {tier.commands.per_second(units) * 60:,.0f}"
        )
        yield Finding(rules()["IH010"], _PARAMETERS, text)
    if commands and not tier.complete:
        yield Finding(rules()["IH012"], _PARAMETERS, f"iotHubSku is {subject.parameters.get('iotHubSku')}")
    if devices > limits.MOST_DEVICES:
        yield Finding(rules()["IH019"], _PARAMETERS, f"{devices:,} devices")


def _deployment(subject: Subject, tier: HubTier, units: int) -> Iterator[Finding]:
    known, given = rules(), subject.parameters
    retention_days, partitions = int(given.get("iotHubRetentionDays", 1)), int(given.get("iotHubPartitions", 4))
    for what, asked, least, most in limits.deployed(tier, units, retention_days, partitions):
        if not least <= asked <= most:
            rule = "IH019" if what == "iotHubUnits" else "IH014"
            yield Finding(known[rule], _PARAMETERS, f"{what} is {asked}, the tier takes {least} to {most}")


def _own_limits(subject: Subject) -> Iterator[Finding]:
    for module, name, rule, most in _OWN_LIMITS:
        own = _constant(subject.sources.get(module), name)
        pairs = [(own.get(part, 0), limit) for part, limit in most.items()] if isinstance(most, dict) else [(own, most)]
        for value, limit in pairs:
            if value > limit:
                yield Finding(rules()[rule], f"{module}, {name}", f"is {value:,}, the service's limit is {limit:,}")


def _constant(tree: ast.Module | None, name: str) -> Any:
    """A module's constant, with the arithmetic that it is written with; 0 where it has none."""
    for node in () if tree is None else tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == name for to in node.targets):
            return _value(node.value)
    return 0


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.BinOp):
        return _OPERATIONS[type(node.op)](_value(node.left), _value(node.right))
    if isinstance(node, ast.Dict):
        return {ast.literal_eval(key): _value(value) for key, value in zip(node.keys, node.values, strict=True) if key}
    return ast.literal_eval(node)


def _reading(subject: Subject) -> Iterator[Finding]:
    for address in subject.settings.kafka_bootstrap_servers.split(","):
        host = address.strip().rpartition(":")[0]
        if host.startswith(_BUILT_IN_PREFIX) or host.endswith(DOMAIN):
            where = "FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS"
            yield Finding(rules()["IH015"], where, f"{host} is an IoT hub's")


def _sign_in(subject: Subject) -> Iterator[Finding]:
    settings, where = subject.settings, "FRAUDSTREAM_IOT_HUB_CONNECTION_STRING"
    text = settings.iot_hub_connection_string.get_secret_value()
    if not text:
        return
    try:
        policy = HubPolicy.parse(text)
    except ConfigurationError as error:
        yield Finding(rules()["IH016"], where, str(error).rstrip("."))
        return
    # The finding repeats neither: what stands in the wrong place may be the key.
    if not policy.host.endswith(DOMAIN):
        yield Finding(rules()["IH016"], where, f"its HostName does not end in {DOMAIN}")
    if len(decoded(policy.key)) != _KEY_BYTES:
        yield Finding(rules()["IH016"], where, "its key is no Base64 of 32 bytes: it was cut short")
    for name, address, scheme in (
        ("FRAUDSTREAM_IOT_HUB_URL", settings.iot_hub_url, "https"),
        ("FRAUDSTREAM_IOT_HUB_MQTT_URL", settings.iot_hub_mqtt_url, "mqtts"),
    ):
        given = urlsplit(address)
        if address and (given.scheme != scheme or given.hostname != policy.host.lower()):
            yield Finding(rules()["IH017"], name, f"leads to {given.scheme}://{given.hostname}")


def _keys(subject: Subject) -> Iterator[Finding]:
    """The query's state by other keys than the device, in the order of the topic."""
    try:
        plan = plan_of(subject.query)
    except QueryError:
        # SA001 has it.
        return
    if any(isinstance(step, nodes.Read) and step.timestamp is not None for step in plan.steps):
        return
    names = sorted({name for step in plan.steps for key in _keys_of(step) for name in _columns(key)})
    if names:
        text = f"the query keeps state by {', '.join(names)}, in the order in which events came"
        yield Finding(rules()["IH018"], str(subject.query.query_file), text)


def _keys_of(step: nodes.Node) -> Iterator[nodes.Expr]:
    if isinstance(step, nodes.Selection):
        for analytic in step.analytics:
            yield from analytic.partition
    if isinstance(step, nodes.Aggregation):
        yield from step.keys
    if isinstance(step, nodes.Match):
        yield from step.partition


def _columns(key: nodes.Expr) -> Iterator[str]:
    if isinstance(key, nodes.Field):
        yield ".".join(key.path)
