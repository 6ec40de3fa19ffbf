"""Identities of devices, as the service's REST API has them.

Sources: "Understand the identity registry in your IoT hub", "Understand Azure IoT Edge limits and restrictions" and
"Establish and view device parent-child relationships" of the service's documentation.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import orjson

from fraudstream.core.access.shared_access import new_key
from fraudstream.devices import errors, tokens
from fraudstream.devices.registry import twins
from fraudstream.devices.registry.database import Database, packed
from fraudstream.devices.registry.times import NEVER, now_text

SCOPE_PREFIX = "ms-azure-iot-edge://"
MOST_CHILDREN = 100
MOST_LAYERS = 5
MOST_LISTED = 1_000

_ID = re.compile(r"[A-Za-z0-9\-:.+%_#*?!(),=@$']{1,128}")
_THUMBPRINT = re.compile(r"[0-9A-Fa-f]{40}|[0-9A-Fa-f]{64}")
_METHODS = ("sas", "selfSigned", "certificateAuthority")
_LONGEST_REASON = 128


@dataclass(frozen=True, slots=True)
class Identity:
    """A device; ``parent`` is the id of the edge device that it connects through."""

    device_id: str
    generation_id: str
    etag: str
    status: str
    status_reason: str | None
    status_updated: str
    method: str
    keys: tuple[str | None, str | None]
    thumbprints: tuple[str | None, str | None]
    is_edge: bool
    parent: str | None
    parent_scope: str | None

    @property
    def scope(self) -> str:
        """The scope that an edge device is the root of."""
        return f"{SCOPE_PREFIX}{self.device_id}-{self.generation_id}"

    @property
    def admission(self) -> tuple[object, ...]:
        """What a sign-in rests on: a connection that was let in with another one has to end."""
        return self.generation_id, self.status, self.method, self.keys, self.thumbprints, self.parent

    def to_json(self, activity: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The identity as the service shows it; ``activity`` says whether the device is connected."""
        primary, secondary = self.keys
        first, second = self.thumbprints
        shown = {
            "deviceId": self.device_id,
            "generationId": self.generation_id,
            "etag": self.etag,
            "connectionState": "Disconnected",
            "status": self.status,
            "statusReason": self.status_reason,
            "connectionStateUpdatedTime": NEVER,
            "statusUpdatedTime": self.status_updated,
            "lastActivityTime": NEVER,
            "cloudToDeviceMessageCount": 0,
            "authentication": {
                "symmetricKey": {"primaryKey": primary, "secondaryKey": secondary},
                "x509Thumbprint": {"primaryThumbprint": first, "secondaryThumbprint": second},
                "type": self.method,
            },
            "capabilities": {"iotEdge": self.is_edge},
            "parentScopes": [self.parent_scope] if self.parent_scope else [],
        }
        scope = self.scope if self.is_edge else self.parent_scope
        return shown | ({"deviceScope": scope} if scope else {}) | dict(activity or {})


class Identities:
    """The identities in the database. ``on_change`` gets what a device was, and what it is now or None."""

    def __init__(self, database: Database, on_change: Callable[[Identity, Identity | None], None]) -> None:
        self._database = database
        self._on_change = on_change

    def find(self, device_id: str) -> Identity | None:
        """The device, or None."""
        row = self._database.row("SELECT identity, parent FROM devices WHERE id = ?", device_id)
        return None if row is None else _read(*row)

    def get(self, device_id: str) -> Identity:
        """The device. Raises :class:`HubRefused`."""
        if (identity := self.find(device_id)) is None:
            raise errors.device_not_found(device_id)
        return identity

    def all(self, most: int = MOST_LISTED) -> list[Identity]:
        """At most so many devices (-1: all), in the order of their ids."""
        rows = self._database.rows("SELECT identity, parent FROM devices ORDER BY id LIMIT ?", most)
        return [_read(*row) for row in rows]

    def children(self, device_id: str) -> list[Identity]:
        """The devices whose parent it is."""
        rows = self._database.rows("SELECT identity, parent FROM devices WHERE parent = ? ORDER BY id", device_id)
        return [_read(*row) for row in rows]

    def put(self, device_id: str, wanted: Mapping[str, Any], if_match: str | None) -> Identity:
        """Create the device, or with ``if_match`` (an ETag or ``*``) update it. Raises :class:`HubRefused`."""
        if not _ID.fullmatch(device_id):
            raise errors.invalid(
                f"{device_id!r} is no device id. It has 1 to 128 letters, digits and -:.+%_#*?!(),=@$' ."
            )
        if wanted.get("deviceId", device_id) != device_id:
            raise errors.invalid("The body names another device than the address.")
        with self._database.transaction():
            former = self.find(device_id)
            if former is None:
                if if_match is not None:
                    raise errors.device_not_found(device_id)
                identity = self._with_parent(_new(device_id, wanted), None, wanted)
                self._database.change(
                    "INSERT INTO devices (id, identity, twin, parent) VALUES (?, ?, ?, ?)",
                    *(device_id, _pack(identity), packed(twins.new()), identity.parent),
                )
                return identity
            if if_match is None:
                raise errors.device_exists(device_id)
            check_etag(device_id, former.etag, if_match)
            identity = self._with_parent(_updated(former, wanted), former, wanted)
            self._database.change(
                "UPDATE devices SET identity = ?, parent = ? WHERE id = ?", _pack(identity), identity.parent, device_id
            )
        self._on_change(former, identity)
        return identity

    def delete(self, device_id: str, if_match: str) -> None:
        """Delete the device and its twin; its children stay, without a parent. Raises :class:`HubRefused`."""
        with self._database.transaction():
            former = self.get(device_id)
            check_etag(device_id, former.etag, if_match)
            for child in self.children(device_id):
                orphan = replace(child, parent=None, parent_scope=None, etag=_etag())
                self._database.change(
                    "UPDATE devices SET identity = ?, parent = NULL WHERE id = ?", _pack(orphan), child.device_id
                )
            self._database.change("DELETE FROM devices WHERE id = ?", device_id)
        self._on_change(former, None)

    def twin(self, device_id: str) -> twins.Twin:
        """The device's twin. Raises :class:`HubRefused`."""
        if (row := self._database.row("SELECT twin FROM devices WHERE id = ?", device_id)) is None:
            raise errors.device_not_found(device_id)
        twin: twins.Twin = orjson.loads(row[0])
        return twin

    @contextmanager
    def changed_twin(self, device_id: str, if_match: str | None = None) -> Iterator[twins.Twin]:
        """The device's twin, kept as it is when the block ends without an error. Raises :class:`HubRefused`."""
        with self._database.transaction():
            twin = self.twin(device_id)
            if if_match is not None:
                check_etag(device_id, twins.etag(twin), if_match)
            yield twin
            self._database.change("UPDATE devices SET twin = ? WHERE id = ?", packed(twin), device_id)

    def mirror(self, shown: Sequence[Mapping[str, Any]]) -> None:
        """Keep these identities, as another hub shows them, and no others; twins are not among them."""
        known = {identity.device_id: identity for identity in self.all(-1)}
        wanted = {identity.device_id: identity for identity in map(_shown, shown)}
        if known == wanted:
            return
        with self._database.transaction():
            for device_id in known.keys() - wanted.keys():
                self._database.change("DELETE FROM devices WHERE id = ?", device_id)
            for identity in wanted.values():
                self._database.change(
                    "INSERT OR REPLACE INTO devices (id, identity, twin, parent) VALUES (?, ?, ?, NULL)",
                    *(identity.device_id, _pack(identity), packed(twins.new())),
                )
        for device_id, former in known.items():
            self._on_change(former, wanted.get(device_id))

    def _with_parent(self, identity: Identity, former: Identity | None, wanted: Mapping[str, Any]) -> Identity:
        scope = _wanted_scope(identity, wanted)
        if scope is None and former is not None and not _names_scope(identity, wanted):
            return identity
        if scope is None or (former is not None and scope == former.parent_scope):
            return replace(identity, parent=former.parent if scope and former else None, parent_scope=scope)
        parent = self._edge_of(scope)
        if parent.device_id == identity.device_id or identity.device_id in self._ancestors(parent):
            raise errors.invalid(f"{parent.device_id!r} is below {identity.device_id!r} and cannot be its parent.")
        if len(self.children(parent.device_id)) >= MOST_CHILDREN:
            raise errors.invalid(f"{parent.device_id!r} has {MOST_CHILDREN} children, the most that a parent may have.")
        if identity.is_edge and len(self._ancestors(parent)) + 2 > MOST_LAYERS:
            raise errors.invalid(f"Edge devices are nested at most {MOST_LAYERS} deep.")
        return replace(identity, parent=parent.device_id, parent_scope=parent.scope)

    def _edge_of(self, scope: str) -> Identity:
        name, generation = parts_of_scope(scope)
        parent = self.find(name)
        if parent is None or parent.generation_id != generation:
            raise errors.invalid(f"There is no edge device with the scope {scope!r}.")
        if not parent.is_edge:
            raise errors.invalid(f"{parent.device_id!r} is no edge device, and only those have children.")
        return parent

    def _ancestors(self, identity: Identity) -> list[str]:
        found: list[str] = []
        above = identity.parent
        while above is not None and above not in found:
            found.append(above)
            parent = self.find(above)
            above = None if parent is None else parent.parent
        return found


def parts_of_scope(scope: str) -> tuple[str, str]:
    """The id and the generation of the edge device that a scope is of; two empty texts for what is no scope."""
    name, _, generation = scope.removeprefix(SCOPE_PREFIX).rpartition("-")
    return (name, generation) if scope.startswith(SCOPE_PREFIX) else ("", "")


def check_etag(device_id: str, etag: str, if_match: str) -> None:
    """Raise :class:`HubRefused` unless ``if_match`` is ``*`` or that ETag, weak or strong, with quotes or without."""
    given = if_match.strip().removeprefix("W/").strip('"')
    if given not in ("*", etag):
        raise errors.precondition_failed(device_id)


def _etag() -> str:
    return base64.b64encode(str(secrets.randbelow(900_000_000) + 100_000_000).encode()).decode()


def _new(device_id: str, wanted: Mapping[str, Any]) -> Identity:
    blank = Identity(
        device_id, str(secrets.randbelow(9 * 10**17) + 10**17), "", "enabled", None, NEVER, "sas",
        (None, None), (None, None), False, None, None,
    )  # fmt: skip
    return _updated(blank, wanted)


def _updated(former: Identity, wanted: Mapping[str, Any]) -> Identity:
    status = str(wanted.get("status") or former.status).lower()
    if status not in ("enabled", "disabled"):
        raise errors.invalid(f"The status is {status!r}. It is `enabled` or `disabled`.")
    reason = wanted.get("statusReason", former.status_reason)
    if reason is not None and (not isinstance(reason, str) or len(reason) > _LONGEST_REASON):
        raise errors.invalid(f"The statusReason is a text of at most {_LONGEST_REASON} characters.")
    capabilities = _object(wanted, "capabilities")
    is_edge = capabilities.get("iotEdge", former.is_edge)
    if not isinstance(is_edge, bool):
        raise errors.invalid("capabilities.iotEdge is true or false.")
    method, keys, thumbprints = _credentials(former, _object(wanted, "authentication"))
    return replace(
        former,
        etag=_etag(),
        status=status,
        status_reason=reason,
        status_updated=former.status_updated if status == former.status else now_text(),
        method=method,
        keys=keys,
        thumbprints=thumbprints,
        is_edge=is_edge,
    )


_Pair = tuple[str | None, str | None]


def _credentials(former: Identity, given: Mapping[str, Any]) -> tuple[str, _Pair, _Pair]:
    method = given.get("type") or former.method
    if method not in _METHODS:
        raise errors.invalid(f"The authentication type is {method!r}. It is one of {', '.join(_METHODS)}.")
    if method == "sas":
        kept = former.keys
        primary, secondary = _pair(_object(given, "symmetricKey"), "primaryKey", "secondaryKey", kept)
        keys = (primary or new_key(), secondary or new_key())
        if not all(map(tokens.is_key, keys)):
            raise errors.invalid("A key is Base64 of 16 to 64 bytes.")
        return method, keys, (None, None)
    thumbprints = _pair(
        _object(given, "x509Thumbprint"), "primaryThumbprint", "secondaryThumbprint", former.thumbprints
    )
    if method == "selfSigned":
        if not any(thumbprints) or not all(_THUMBPRINT.fullmatch(text) for text in thumbprints if text):
            raise errors.invalid("A self-signed device needs a thumbprint: 40 (SHA-1) or 64 (SHA-256) digits 0-9A-F.")
        return method, (None, None), thumbprints
    return method, (None, None), (None, None)


def _pair(given: Mapping[str, Any], first: str, second: str, kept: _Pair) -> _Pair:
    values = given.get(first, kept[0]) or kept[0], given.get(second, kept[1]) or kept[1]
    if not all(value is None or isinstance(value, str) for value in values):
        raise errors.invalid(f"{first} and {second} are texts.")
    return values


def _object(wanted: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = wanted.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise errors.invalid(f"{name} is an object.")
    return value


def _names_scope(identity: Identity, wanted: Mapping[str, Any]) -> bool:
    return "parentScopes" in wanted or ("deviceScope" in wanted and not identity.is_edge)


def _wanted_scope(identity: Identity, wanted: Mapping[str, Any]) -> str | None:
    """An edge device's parent stands in parentScopes; another one's in deviceScope, or in both."""
    scopes = wanted.get("parentScopes") or []
    if not isinstance(scopes, list) or len(scopes) > 1 or not all(isinstance(scope, str) for scope in scopes):
        raise errors.invalid("parentScopes holds one scope at most: a device has one parent.")
    own = None if identity.is_edge else wanted.get("deviceScope")
    if own is not None and not isinstance(own, str):
        raise errors.invalid("deviceScope is a text.")
    if not identity.is_edge and "deviceScope" in wanted:
        return own or None
    return scopes[0] if scopes else None


def _shown(shown: Mapping[str, Any]) -> Identity:
    """An identity as the service shows it, without its parent."""
    authentication = shown["authentication"]
    keys, thumbprints = authentication["symmetricKey"] or {}, authentication["x509Thumbprint"] or {}
    return Identity(
        shown["deviceId"],
        shown["generationId"],
        shown["etag"],
        shown["status"],
        shown.get("statusReason"),
        shown.get("statusUpdatedTime", NEVER),
        authentication["type"],
        (keys.get("primaryKey"), keys.get("secondaryKey")),
        (thumbprints.get("primaryThumbprint"), thumbprints.get("secondaryThumbprint")),
        bool(shown["capabilities"]["iotEdge"]),
        None,
        None,
    )


def _pack(identity: Identity) -> bytes:
    return packed({name: getattr(identity, name) for name in Identity.__slots__ if name != "parent"})


def _read(identity: bytes, parent: str | None) -> Identity:
    values = orjson.loads(identity)
    values["keys"], values["thumbprints"] = tuple(values["keys"]), tuple(values["thumbprints"])
    return Identity(**values, parent=parent)
