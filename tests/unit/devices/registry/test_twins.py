"""Twins merge, count versions, and keep the service's limits."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fraudstream.devices.errors import HubRefused
from fraudstream.devices.registry import twins


def test_a_patch_merges_and_null_removes() -> None:
    twin = twins.new()
    twins.patch_section(twin, "reported", {"a": {"b": 1, "c": 2}, "d": [1, {"e": None}]})
    twins.patch_section(twin, "reported", {"a": {"b": None, "x": "y"}, "d": 3})
    shown = twins.properties(twin)["reported"]
    assert shown.pop("$metadata")["a"]["x"]["$lastUpdated"] > "2026"
    assert shown == {"a": {"c": 2, "x": "y"}, "d": 3, "$version": 3}
    assert twins.properties(twin, metadata=False)["reported"] == shown


def test_metadata_keeps_the_time_of_what_was_not_changed() -> None:
    twin = twins.new()
    twins.patch_section(twin, "desired", {"a": 1, "b": {"c": 1}})
    before = twins.properties(twin)["desired"]["$metadata"]
    before["a"]["$lastUpdated"] = "then"
    twins.patch_section(twin, "desired", {"b": {"d": 2}})
    assert twins.properties(twin)["desired"]["$metadata"]["a"]["$lastUpdated"] == "then"


def test_the_etag_changes_with_what_the_back_end_wants_alone() -> None:
    twin = twins.new()
    assert twins.etag(twin) == "AAAAAAAAAAE="
    twins.patch_section(twin, "reported", {"a": 1})
    assert twins.etag(twin) == "AAAAAAAAAAE="
    twins.patch_tags(twin, {"town": "Bern"})
    twins.replace_section(twin, "desired", {"b": 2, "$version": 9, "$metadata": {}})
    assert twins.etag(twin) == "AAAAAAAAAAM="
    assert twin["version"] == 4
    assert twin["desired"]["values"] == {"b": 2}


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {"property": "value"}
    for _ in range(depth):
        value = {"in": value}
    return value


@pytest.mark.parametrize(
    "patch",
    [
        [],
        "text",
        {"a.b": 1},
        {"a b": 1},
        {"$a": 1},
        {"": 1},
        {"a\x00": 1},
        {"k" * 1025: 1},
        {"a": "x" * 4097},
        {"a": 2**52},
        {"a": -(2**52) - 1},
        {"a": [{"b.c": 1}]},
        nested(11),
        {"in": json.loads("[" * 300 + "]" * 300)},
    ],
)
def test_what_the_service_does_not_take_changes_nothing(patch: Any) -> None:
    twin = twins.new()
    with pytest.raises(HubRefused):
        twins.patch_section(twin, "reported", patch)
    assert twin["reported"]["version"] == 1


def test_ten_objects_deep_are_taken() -> None:
    twin = twins.new()
    twins.patch_section(twin, "reported", nested(10))
    assert twin["reported"]["values"] == nested(10)


@pytest.mark.parametrize(("name", "most"), [("tags", 8), ("desired", 32), ("reported", 32)])
def test_sizes_are_counted_as_the_service_counts(name: str, most: int) -> None:
    def change(twin: twins.Twin, value: dict[str, Any]) -> None:
        twins.patch_tags(twin, value) if name == "tags" else twins.patch_section(twin, name, value)

    full = {key: "x" * (1024 - len(key)) for key in (f"k{number}" for number in range(most))}
    change(twins.new(), full)
    with pytest.raises(HubRefused, match=f"larger than {most} KB") as refused:
        change(twins.new(), full | {"more": True})
    assert refused.value.status == 413
