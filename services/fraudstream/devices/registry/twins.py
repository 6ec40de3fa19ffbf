"""Twins of devices: what the back end wants (desired), what the device says (reported), and tags.

Source: "Understand and use device twins in IoT Hub" of the service's documentation.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from fraudstream.devices.errors import invalid, too_large
from fraudstream.devices.registry.times import now_text

MOST_BYTES = {"tags": 8 * 1024, "desired": 32 * 1024, "reported": 32 * 1024}
_DEEPEST = 10
_LONGEST_KEY = 1_024
_LONGEST_TEXT = 4_096
_LEAST, _MOST = -4_503_599_627_370_496, 4_503_599_627_370_495
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f.$ ]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

Twin = dict[str, Any]


def new() -> Twin:
    """The twin of a new device: sections with their values, their metadata and their version."""
    stamp = {"$lastUpdated": now_text()}
    return {
        "version": 1,
        "etag": 1,
        "tags": {},
        "desired": {"values": {}, "metadata": dict(stamp), "version": 1},
        "reported": {"values": {}, "metadata": dict(stamp), "version": 1},
    }


def etag(twin: Twin) -> str:
    """The twin's ETag: what the device reports does not change it."""
    return base64.b64encode(int(twin["etag"]).to_bytes(8, "big")).decode()


def properties(twin: Twin, metadata: bool = True) -> dict[str, Any]:
    """Desired and reported properties as the service shows them, and to a device without ``metadata``."""
    return {name: _shown(twin[name], metadata) for name in ("desired", "reported")}


def _shown(section: Mapping[str, Any], metadata: bool) -> dict[str, Any]:
    beside = {"$metadata": section["metadata"]} if metadata else {}
    return {**section["values"], **beside, "$version": section["version"]}


def patch_section(twin: Twin, name: str, patch: Any) -> None:
    """Merge ``patch`` into desired or reported properties: null removes. Raises :class:`HubRefused`."""
    _change(twin, name, patch, merge=True)


def replace_section(twin: Twin, name: str, values: Any) -> None:
    """Put ``values`` in the place of the desired properties. Raises :class:`HubRefused`."""
    _change(twin, name, values, merge=False)


def patch_tags(twin: Twin, patch: Any, merge: bool = True) -> None:
    """Merge ``patch`` into the tags, or put it in their place. Raises :class:`HubRefused`."""
    checked = _without_read_only(patch, "tags")
    tags = _merged(twin["tags"], checked) if merge else _merged({}, checked)
    _check_size("tags", tags)
    twin["tags"] = tags
    twin["version"] += 1
    twin["etag"] += 1


def _change(twin: Twin, name: str, given: Any, merge: bool) -> None:
    patch = _without_read_only(given, name)
    section = twin[name]
    values = _merged(section["values"] if merge else {}, patch)
    _check_size(name, values)
    former = section["metadata"] if merge else {}
    section["metadata"] = _stamped(former, patch, values, now_text())
    section["values"] = values
    section["version"] += 1
    twin["version"] += 1
    twin["etag"] += name != "reported"


def _without_read_only(given: Any, name: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise invalid(f"{name} is an object.")
    patch = {key: value for key, value in given.items() if key not in ("$metadata", "$version")}
    _check(patch, name, 0)
    return patch


def _check(value: Any, place: str, depth: int) -> None:
    """Keys, values and depth are those that the service takes."""
    if isinstance(value, dict | list) and depth > _DEEPEST:
        raise invalid(f"{place} is nested deeper than {_DEEPEST} objects and lists.")
    if isinstance(value, dict):
        for key, member in value.items():
            if not key or len(key.encode()) > _LONGEST_KEY or _FORBIDDEN.search(key):
                raise invalid(
                    f"{place} has a key that is empty, too long, or holds a control character, . $ or a space."
                )
            _check(member, f"{place}.{key}", depth + 1)
    elif isinstance(value, list):
        for member in value:
            _check(member, place, depth + 1)
    elif isinstance(value, str) and len(value.encode()) > _LONGEST_TEXT:
        raise invalid(f"{place} is longer than 4 KB.")
    elif isinstance(value, int) and not isinstance(value, bool) and not _LEAST <= value <= _MOST:
        raise invalid(f"{place} is beyond {_LEAST} and {_MOST}.")


def _merged(values: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(values)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict):
            inner = merged.get(key)
            merged[key] = _merged(inner if isinstance(inner, dict) else {}, value)
        else:
            merged[key] = value
    return merged


def _stamped(former: Mapping[str, Any], patch: Mapping[str, Any], values: Mapping[str, Any], stamp: str) -> Any:
    """The metadata after the patch: every object and value that it changed has a new time."""
    metadata: dict[str, Any] = {"$lastUpdated": stamp}
    for key, value in values.items():
        before = former.get(key, {})
        if key not in patch:
            metadata[key] = before
        elif isinstance(value, dict):
            inner = patch[key] if isinstance(patch[key], dict) else {}
            metadata[key] = _stamped(before, inner, value, stamp)
        else:
            metadata[key] = {"$lastUpdated": stamp}
    return metadata


def _check_size(name: str, values: Mapping[str, Any]) -> None:
    if _size(values) > MOST_BYTES[name]:
        raise too_large(f"{name} would be larger than {MOST_BYTES[name] // 1024} KB.")


def _size(value: Any) -> int:
    """As the service counts: keys and texts without control characters, 8 bytes a number, 4 a truth value."""
    if isinstance(value, dict):
        return sum(_text_size(key) + _size(member) for key, member in value.items())
    if isinstance(value, list):
        return sum(map(_size, value))
    if isinstance(value, str):
        return _text_size(value)
    return 4 if isinstance(value, bool) or value is None else 8


def _text_size(text: str) -> int:
    return len(_CONTROL.sub("", text).encode())
