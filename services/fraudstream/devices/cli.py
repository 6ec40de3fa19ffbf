"""``fraudstream device``: the identities, twins and messages of a hub's devices, as `az iot hub` has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from fraudstream.core.output.terminal import say_json

if TYPE_CHECKING:
    from fraudstream.devices.relations import Relations

app = typer.Typer(help="Devices of the IoT hub, as `az iot hub device-identity` has them.", no_args_is_help=True)
parent = typer.Typer(help="The edge device that a device connects through.", no_args_is_help=True)
children = typer.Typer(help="The devices that connect through an edge device.", no_args_is_help=True)
connection = typer.Typer(help="What a device connects with.", no_args_is_help=True)
twin = typer.Typer(help="A device's twin: tags, desired and reported properties.", no_args_is_help=True)
method = typer.Typer(help="Direct methods of a connected device.", no_args_is_help=True)
message = typer.Typer(help="Messages from the cloud to devices.", no_args_is_help=True)
_GROUPS = (parent, children, connection, twin, method, message)
# One text: some project's events have a field `children`, and no code names a field.
_NAMES = "parent children connection-string twin method message".split()  # noqa: SIM905
for name, group in zip(_NAMES, _GROUPS, strict=True):
    app.add_typer(group, name=name)

HubName = Annotated[str | None, typer.Option("-n", "--hub-name", help="The hub's name; by default the one here.")]
DeviceId = Annotated[str, typer.Option("-d", "--device-id", help="The device's id.")]
Login = Annotated[
    str | None, typer.Option("-l", "--login", help="Connection string of the hub's policy.", show_default=False)
]
AuthMethod = Annotated[
    Literal["shared_private_key", "x509_thumbprint", "x509_ca"] | None,
    typer.Option("--am", "--auth-method", help="How the device signs in."),
]
EdgeEnabled = Annotated[
    bool | None,
    typer.Option("--ee/--no-ee", "--edge-enabled/--no-edge-enabled", help="Other devices connect through it."),
]
PrimaryKey = Annotated[str | None, typer.Option("--pk", "--primary-key", help="Base64; by default a random one.")]
SecondaryKey = Annotated[str | None, typer.Option("--sk", "--secondary-key", help="Base64; by default a random one.")]
PrimaryThumbprint = Annotated[str | None, typer.Option("--ptp", "--primary-thumbprint", help="Of its certificate.")]
SecondaryThumbprint = Annotated[str | None, typer.Option("--stp", "--secondary-thumbprint", help="Of another one.")]
DeviceStatus = Annotated[
    Literal["enabled", "disabled"] | None, typer.Option("--sta", "--status", help="Whether it may connect.")
]
StatusReason = Annotated[str | None, typer.Option("--star", "--status-reason", help="Why.")]
ParentId = Annotated[str | None, typer.Option("--pd", "--parent-device-id", help="Id of the edge device.")]
ChildIds = Annotated[list[str], typer.Option("--cl", "--child-list", help="Ids of devices; may be repeated.")]
Force = Annotated[bool, typer.Option("-f", "--force", help="Take the place of a former parent.")]
ETag = Annotated[str | None, typer.Option("--etag", "-e", help="Only if it still has this ETag.")]


@app.command()
def create(
    device_id: DeviceId,
    hub_name: HubName = None,
    edge_enabled: EdgeEnabled = False,
    auth_method: AuthMethod = "shared_private_key",
    parent_id: ParentId = None,
    primary_key: PrimaryKey = None,
    secondary_key: SecondaryKey = None,
    primary_thumbprint: PrimaryThumbprint = None,
    secondary_thumbprint: SecondaryThumbprint = None,
    status: DeviceStatus = "enabled",
    status_reason: StatusReason = None,
    login: Login = None,
) -> None:
    """Create a device, as a child of an edge device with --pd."""
    identity: dict[str, Any] = {
        "deviceId": device_id,
        "status": status,
        "statusReason": status_reason,
        "capabilities": {"iotEdge": bool(edge_enabled)},
        "authentication": _credentials(
            auth_method or "shared_private_key", primary_key, secondary_key, primary_thumbprint, secondary_thumbprint
        ),
    }
    with _hub(hub_name, login) as hub:
        if parent_id is not None:
            identity |= hub.scope_of(parent_id, bool(edge_enabled))
        say_json(hub.put(identity))


@app.command(name="list")
def list_devices(
    hub_name: HubName = None,
    edge_enabled: Annotated[bool, typer.Option("--ee", "--edge-enabled", help="Edge devices alone.")] = False,
    top: Annotated[int, typer.Option(min=-1, help="At most so many; -1: all.")] = 1_000,
    login: Login = None,
) -> None:
    """The devices' twins."""
    text = "SELECT * FROM devices WHERE capabilities.iotEdge = true" if edge_enabled else "SELECT * FROM devices"
    _ask(hub_name, login, lambda hub: hub.query(text, None if top < 0 else top))


@app.command()
def update(
    device_id: DeviceId,
    hub_name: HubName = None,
    edge_enabled: EdgeEnabled = None,
    auth_method: AuthMethod = None,
    primary_key: PrimaryKey = None,
    secondary_key: SecondaryKey = None,
    primary_thumbprint: PrimaryThumbprint = None,
    secondary_thumbprint: SecondaryThumbprint = None,
    status: DeviceStatus = None,
    status_reason: StatusReason = None,
    etag: ETag = None,
    login: Login = None,
) -> None:
    """Change a device; what is not named stays as it is."""
    with _hub(hub_name, login) as hub:
        identity = hub.get(device_id)
        known = {"sas": "shared_private_key", "selfSigned": "x509_thumbprint", "certificateAuthority": "x509_ca"}
        chosen = auth_method or known[identity["authentication"]["type"]]
        wanted = {
            "deviceId": device_id,
            "status": status or identity["status"],
            "statusReason": identity["statusReason"] if status_reason is None else status_reason,
            "capabilities": {"iotEdge": identity["capabilities"]["iotEdge"] if edge_enabled is None else edge_enabled},
            "authentication": _credentials(
                chosen, primary_key, secondary_key, primary_thumbprint, secondary_thumbprint
            ),
        }
        say_json(hub.put(wanted, etag or "*"))


@app.command()
def delete(device_id: DeviceId, hub_name: HubName = None, etag: ETag = None, login: Login = None) -> None:
    """Delete a device and its twin."""
    _ask(hub_name, login, lambda hub: hub.delete(device_id, etag or "*"))


@parent.command(name="set")
def set_parent(
    device_id: DeviceId,
    parent_id: Annotated[str, typer.Option("--pd", "--parent-device-id", help="Id of the edge device.")],
    hub_name: HubName = None,
    force: Force = False,
    login: Login = None,
) -> None:
    """Have a device connect through an edge device."""
    _ask(hub_name, login, lambda hub: hub.add_children(parent_id, [device_id], force))


@children.command()
def add(
    device_id: DeviceId, child_list: ChildIds, hub_name: HubName = None, force: Force = False, login: Login = None
) -> None:
    """Have devices connect through an edge device."""
    _ask(hub_name, login, lambda hub: hub.add_children(device_id, child_list, force))


@children.command()
def remove(
    device_id: DeviceId,
    child_list: Annotated[list[str] | None, typer.Option("--cl", "--child-list", help="Ids; may be repeated.")] = None,
    remove_all: Annotated[bool, typer.Option("-a", "--remove-all", help="All of them.")] = False,
    hub_name: HubName = None,
    login: Login = None,
) -> None:
    """Have devices connect on their own again."""
    if not child_list and not remove_all:
        raise typer.BadParameter("Name children with --cl, or all with --remove-all.")
    _ask(hub_name, login, lambda hub: hub.remove_children(device_id, None if remove_all else child_list))


@connection.command(name="show")
def show_connection_string(
    device_id: DeviceId,
    hub_name: HubName = None,
    key_type: Annotated[
        Literal["primary", "secondary"], typer.Option("--kt", "--key-type", help="Which key.")
    ] = "primary",
    gateway: Annotated[
        str | None, typer.Option("--gateway", help="Host name of the edge that it connects through.")
    ] = None,
    login: Login = None,
) -> None:
    """A device's connection string."""
    _ask(hub_name, login, lambda hub: {"connectionString": hub.connection_string(device_id, key_type, gateway)})


@twin.command(name="update")
def update_twin(
    device_id: DeviceId,
    desired: Annotated[str | None, typer.Option(help="JSON to merge into the desired properties.")] = None,
    tags: Annotated[str | None, typer.Option(help="JSON to merge into the tags.")] = None,
    hub_name: HubName = None,
    etag: ETag = None,
    login: Login = None,
) -> None:
    """Merge tags and desired properties; null removes."""
    patch: dict[str, Any] = {}
    if desired is not None:
        patch["properties"] = {"desired": _json(desired, "--desired")}
    if tags is not None:
        patch["tags"] = _json(tags, "--tags")
    if not patch:
        raise typer.BadParameter("Say what to change with --desired or --tags.")
    _ask(hub_name, login, lambda hub: hub.twin(device_id, patch, etag or "*"))


@method.command()
def invoke(
    device_id: DeviceId,
    method_name: Annotated[str, typer.Option("--mn", "--method-name", help="The method.")],
    payload: Annotated[str, typer.Option("--mp", "--method-payload", help="JSON for it.")] = "null",
    timeout: Annotated[int, typer.Option("--to", "--timeout", min=5, max=300, help="Seconds to wait.")] = 30,
    hub_name: HubName = None,
    login: Login = None,
) -> None:
    """Call a method of a connected device, and show its answer."""
    value = _json(payload, "--method-payload")
    _ask(hub_name, login, lambda hub: hub.call(device_id, method_name, value, timeout))


@message.command()
def send(
    device_id: DeviceId,
    data: Annotated[str, typer.Option("--da", "--data", help="The message's text.")],
    message_id: Annotated[str | None, typer.Option("--mid", "--message-id", help="By which feedback names it.")] = None,
    ack: Annotated[
        Literal["none", "positive", "negative", "full"], typer.Option(help="What becomes of it: what is told.")
    ] = "none",
    properties: Annotated[str | None, typer.Option("--props", "-p", help="name=value;name=value")] = None,
    hub_name: HubName = None,
    login: Login = None,
) -> None:
    """Send a message to a device; it waits for an hour if the device is not connected."""
    headers = {"iothub-ack": ack} | ({"iothub-messageid": message_id} if message_id else {})
    for pair in filter(None, (properties or "").split(";")):
        key, equals, value = pair.partition("=")
        if not equals:
            raise typer.BadParameter("--props is name=value;name=value.")
        headers[f"iothub-app-{key.strip()}"] = value.strip()
    _ask(hub_name, login, lambda hub: hub.send(device_id, data.encode(), headers))


@message.command()
def feedback(hub_name: HubName = None, login: Login = None) -> None:
    """What became of messages that were sent with --ack, since it was last asked."""
    _ask(hub_name, login, lambda hub: hub.feedback())


def _reading(question: Callable[[Relations, str], Any]) -> Callable[..., None]:
    """A command that shows what the hub says of a device."""

    def read(device_id: DeviceId, hub_name: HubName = None, login: Login = None) -> None:
        _ask(hub_name, login, lambda hub: question(hub, device_id))

    return read


def _ask(name: str | None, login: str | None, question: Callable[[Relations], Any]) -> None:
    """Ask the hub, and show its answer if it has one."""
    with _hub(name, login) as hub:
        answer = question(hub)
    if answer is not None:
        say_json(answer)


def _hub(name: str | None, login: str | None) -> Relations:
    """The hub of that name. Raises :class:`ConfigurationError` where there is none."""
    from fraudstream.core.access.iot_hub import policy_of
    from fraudstream.core.configuration.settings import load_settings
    from fraudstream.core.errors import ConfigurationError
    from fraudstream.devices.places import hosts
    from fraudstream.devices.relations import Relations

    settings = load_settings()
    policy = policy_of(settings, login)
    names = {settings.iot_hub, *hosts(settings), policy.host, policy.host.partition(".")[0]}
    if name is not None and name.lower() not in {known.lower() for known in names}:
        raise ConfigurationError(
            f"There is no hub {name!r}; the one here is `{settings.iot_hub}`. FRAUDSTREAM_IOT_HUB names it otherwise."
        )
    return Relations(policy, settings.iot_hub_url)


def _credentials(method: str, primary: str | None, secondary: str | None, first: str | None, second: str | None) -> Any:
    kinds = {"shared_private_key": "sas", "x509_thumbprint": "selfSigned", "x509_ca": "certificateAuthority"}
    return {
        "type": kinds[method],
        "symmetricKey": {"primaryKey": primary, "secondaryKey": secondary},
        "x509Thumbprint": {"primaryThumbprint": first, "secondaryThumbprint": second},
    }


def _json(text: str, option: str) -> Any:
    import orjson

    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise typer.BadParameter(f"{option} is no JSON ({error}).") from error


app.command("show", help="A device's identity.")(_reading(lambda hub, name: hub.get(name) | {"hub": hub.host}))
parent.command("show", help="The identity of a device's parent.")(
    _reading(lambda hub, name: hub.parent(name) | {"hub": hub.host})
)
children.command("list", help="The ids of an edge device's children.")(_reading(lambda hub, name: hub.children(name)))
twin.command("show", help="A device's twin.")(_reading(lambda hub, name: hub.twin(name)))
