"""A sign-in holds by the device's key, a policy's, its parent's, or by its certificate; and by nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fraudstream.core.access.iot_hub import token
from fraudstream.devices.admission import Admission, Admitted
from fraudstream.devices.errors import HubRefused
from fraudstream.devices.registry.database import Database
from fraudstream.devices.registry.identities import Identities
from fraudstream.devices.registry.policies import Policies

HOST = "hub.azure-devices.net"


class Gate:
    def __init__(self, file: Path) -> None:
        self.database = Database(file)
        self.identities = Identities(self.database, lambda _former, _now: None)
        self.policies = Policies(self.database)
        self.admission = Admission(self.identities, self.policies, (HOST,))

    def key(self, device_id: str) -> str:
        return str(self.identities.get(device_id).keys[0])

    def ask(self, client: str, password: str, **more: Any) -> Admitted:
        user = more.pop("user", f"{HOST}/{client}/?api-version=2021-04-12&model-id=dtmi:till;1")
        return self.admission.check({"client": client, "user": user, "password": password, **more})

    def by(self, client: str, signer: str) -> Admitted:
        return self.ask(client, token(f"{HOST}/devices/{signer}", self.key(signer)))


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    kept = Gate(tmp_path / "registry.sqlite3")
    edge = kept.identities.put("edge", {"capabilities": {"iotEdge": True}}, None)
    kept.identities.put("child", {"deviceScope": edge.scope}, None)
    kept.identities.put("alone", {}, None)
    yield kept
    kept.database.close()


def test_a_device_signs_in_by_its_own_key(gate: Gate) -> None:
    admitted = gate.by("alone", "alone")
    assert json.loads(admitted.method)["scope"] == "device"
    assert admitted.model == "dtmi:till;1"
    assert admitted.answer()["generation"] == gate.identities.get("alone").generation_id


def test_an_edge_device_speaks_for_its_children_alone(gate: Gate) -> None:
    assert gate.by("child", "edge").identity.device_id == "child"
    assert gate.by("child", "child").identity.device_id == "child"
    for client, signer in (("alone", "edge"), ("edge", "child"), ("alone", "child")):
        with pytest.raises(HubRefused):
            gate.by(client, signer)
    gate.identities.put("edge", {"status": "disabled"}, "*")
    with pytest.raises(HubRefused):
        gate.by("child", "edge")


def test_a_policy_lets_every_device_in_if_it_may(gate: Gate) -> None:
    for policy, is_let_in in (("iothubowner", True), ("device", True), ("service", False), ("registryRead", False)):
        signed = token(HOST, gate.policies.keys(policy)[1], policy=policy)
        if is_let_in:
            assert json.loads(gate.ask("alone", signed).method)["scope"] == "hub"
        else:
            with pytest.raises(HubRefused):
                gate.ask("alone", signed)


@pytest.mark.parametrize(
    "user",
    [
        "",
        "alone",
        f"{HOST}/alone/module/?api-version=1",
        f"{HOST}/child/?api-version=1",
        "other.net/alone/?api-version=1",
        f"{HOST}//?api-version=1",
        f"/{HOST}/alone",
    ],
)
def test_the_user_name_names_hub_and_device(gate: Gate, user: str) -> None:
    with pytest.raises(HubRefused):
        gate.ask("alone", token(f"{HOST}/devices/alone", gate.key("alone")), user=user)


@pytest.mark.parametrize("user", [f"{HOST}/alone", f"{HOST.upper()}/alone/", f"{HOST}/%61lone/?api-version=1"])
def test_the_user_name_may_be_written_otherwise(gate: Gate, user: str) -> None:
    assert gate.ask("alone", token(f"{HOST}/devices/alone", gate.key("alone")), user=user)


def test_a_certificate_is_its_devices(gate: Gate) -> None:
    gate.identities.put("by-name", {"authentication": {"type": "certificateAuthority"}}, None)
    thumbprint = "ab" * 20
    own = {"type": "selfSigned", "x509Thumbprint": {"primaryThumbprint": thumbprint}}
    gate.identities.put("by-print", {"authentication": own}, None)
    assert json.loads(gate.ask("by-name", "", name="by-name").method)["type"] == "x509"
    assert gate.ask("by-print", "", name="x", thumbprint=thumbprint.upper())
    for client, certificate in (
        ("by-name", {"name": "by-name2"}),
        ("by-name", {"name": "x,CN=by-name"}),
        ("by-name", {}),
        ("by-print", {"name": "by-print", "thumbprint": "CD" * 20}),
        ("by-print", {"thumbprint": ""}),
        ("alone", {"name": "alone"}),
    ):
        with pytest.raises(HubRefused):
            gate.ask(client, "", **certificate)
