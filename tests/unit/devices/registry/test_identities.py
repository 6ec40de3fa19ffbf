"""Identities are created once, updated with their ETag, and related as the service allows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fraudstream.devices.errors import HubRefused
from fraudstream.devices.registry.database import Database
from fraudstream.devices.registry.identities import MOST_CHILDREN, Identities, Identity


class Registry:
    def __init__(self, file: Path) -> None:
        self.database = Database(file)
        self.changes: list[tuple[str, bool]] = []
        self.identities = Identities(self.database, self._note)

    def _note(self, former: Identity, now: Identity | None) -> None:
        self.changes.append((former.device_id, now is not None and now.admission == former.admission))

    def put(self, device_id: str, if_match: str | None = None, **wanted: Any) -> Identity:
        return self.identities.put(device_id, wanted, if_match)

    def edge(self, device_id: str, **wanted: Any) -> Identity:
        return self.put(device_id, capabilities={"iotEdge": True}, **wanted)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    kept = Registry(tmp_path / "registry.sqlite3")
    yield kept
    kept.database.close()


def test_a_device_is_created_with_keys_of_its_own(registry: Registry) -> None:
    shown = registry.put("till-1").to_json()
    assert shown["status"] == "enabled"
    assert shown["authentication"]["type"] == "sas"
    keys = shown["authentication"]["symmetricKey"]
    assert keys["primaryKey"] != keys["secondaryKey"]
    assert "deviceScope" not in shown
    assert registry.identities.get("till-1").to_json() == shown


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda registry: registry.put("till-1"), 409_001),
        (lambda registry: registry.put("till-1", '"c3RhbGU="'), 412_001),
        (lambda registry: registry.put("nobody", "*"), 404_001),
        (lambda registry: registry.put("a/b"), 400_004),
        (lambda registry: registry.put("x" * 129), 400_004),
        (lambda registry: registry.put("t", deviceId="other"), 400_004),
        (lambda registry: registry.put("t", status="on"), 400_004),
        (lambda registry: registry.put("t", statusReason="x" * 129), 400_004),
        (lambda registry: registry.put("t", authentication={"type": "none"}), 400_004),
        (lambda registry: registry.put("t", authentication={"symmetricKey": {"primaryKey": "short"}}), 400_004),
        (lambda registry: registry.put("t", authentication={"symmetricKey": {"primaryKey": 7}}), 400_004),
        (lambda registry: registry.put("t", authentication={"type": "selfSigned"}), 400_004),
        (lambda registry: registry.put("t", authentication=[]), 400_004),
        (lambda registry: registry.put("t", capabilities={"iotEdge": "yes"}), 400_004),
        (lambda registry: registry.put("t", deviceScope="ms-azure-iot-edge://nobody-1"), 400_004),
        (lambda registry: registry.put("t", parentScopes=["a", "b"]), 400_004),
        (lambda registry: registry.identities.delete("till-1", '"c3RhbGU="'), 412_001),
        (lambda registry: registry.identities.delete("nobody", "*"), 404_001),
    ],
)
def test_what_the_service_refuses_is_refused_by_its_number(registry: Registry, change: Any, code: int) -> None:
    registry.put("till-1")
    with pytest.raises(HubRefused) as refused:
        change(registry)
    assert refused.value.code == code
    assert [identity.device_id for identity in registry.identities.all()] == ["till-1"]


@pytest.mark.parametrize("quoted", ["{}", '"{}"', 'W/"{}"'])
def test_an_update_with_the_etag_keeps_what_it_does_not_name(registry: Registry, quoted: str) -> None:
    former = registry.put("till-1")
    now = registry.put("till-1", quoted.format(former.etag), status="disabled", statusReason="lost")
    assert now.etag != former.etag
    assert (now.keys, now.generation_id) == (former.keys, former.generation_id)
    assert now.to_json()["statusUpdatedTime"] > "2026"
    assert registry.changes == [("till-1", False)]


def test_only_what_a_sign_in_rests_on_ends_a_connection(registry: Registry) -> None:
    registry.put("till-1")
    registry.put("till-1", "*", statusReason="moved")
    registry.put("till-1", "*", authentication={"symmetricKey": {"primaryKey": "AAAA" * 8}})
    registry.identities.delete("till-1", "*")
    assert registry.changes == [("till-1", True), ("till-1", False), ("till-1", False)]


def test_a_device_that_is_created_again_is_another_generation(registry: Registry) -> None:
    first = registry.put("till-1")
    registry.identities.delete("till-1", "*")
    assert registry.put("till-1").generation_id != first.generation_id


def test_a_child_has_one_parent_which_is_an_edge_device(registry: Registry) -> None:
    edge = registry.edge("AIRobotEdge")
    child = registry.put("AIRobot1", deviceScope=edge.scope)
    assert child.to_json()["parentScopes"] == [edge.scope] == [child.to_json()["deviceScope"]]
    assert [device.device_id for device in registry.identities.children("AIRobotEdge")] == ["AIRobot1"]
    assert registry.put("AIRobot1", "*", statusReason="kept").parent == "AIRobotEdge"
    plain = registry.put("plain")
    with pytest.raises(HubRefused, match="no edge device"):
        registry.put("AIRobot1", "*", deviceScope=plain.scope)
    assert registry.put("AIRobot1", "*", deviceScope="").parent is None


def test_children_of_a_deleted_parent_stay_without_one(registry: Registry) -> None:
    edge = registry.edge("edge")
    registry.put("child", deviceScope=edge.scope)
    registry.identities.delete("edge", "*")
    assert registry.identities.get("child").to_json()["parentScopes"] == []


def test_edge_devices_are_nested_five_deep_and_never_in_a_circle(registry: Registry) -> None:
    above = registry.edge("layer-1")
    for number in range(2, 6):
        above = registry.edge(f"layer-{number}", parentScopes=[above.scope])
    with pytest.raises(HubRefused, match="at most 5 deep"):
        registry.edge("layer-6", parentScopes=[above.scope])
    with pytest.raises(HubRefused, match="is below"):
        registry.put("layer-1", "*", parentScopes=[above.scope])


def test_a_parent_has_a_hundred_children_at_most(registry: Registry) -> None:
    edge = registry.edge("edge")
    for number in range(MOST_CHILDREN):
        registry.put(f"child-{number}", deviceScope=edge.scope)
    with pytest.raises(HubRefused, match="has 100 children"):
        registry.put("one-more", deviceScope=edge.scope)


def test_a_mirror_holds_what_another_hub_shows_and_nothing_else(registry: Registry, tmp_path: Path) -> None:
    edge = registry.edge("edge")
    child = registry.put("child", deviceScope=edge.scope)
    mirror = Registry(tmp_path / "mirror.sqlite3")
    mirror.put("gone")
    mirror.identities.mirror([edge.to_json(), child.to_json()])
    assert [identity.device_id for identity in mirror.identities.all()] == ["child", "edge"]
    assert mirror.identities.get("child").keys == child.keys
    mirror.database.close()
