"""Who may connect: the user name, the token or the certificate of a CONNECT, against the registry.

Source: "Communicate with an IoT hub using the MQTT protocol" and "Control access to IoT Hub" of the service's
documentation.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

import orjson

from fraudstream.core.access.shared_access import SharedAccessToken
from fraudstream.devices import tokens
from fraudstream.devices.errors import device_not_found, unauthorized
from fraudstream.devices.registry.identities import Identities, Identity
from fraudstream.devices.registry.policies import Policies


@dataclass(frozen=True, slots=True)
class Admitted:
    """A device that may connect; ``method`` is the header's JSON, ``expires`` seconds since 1970, 0 for never."""

    identity: Identity
    method: str
    expires: int
    model: str

    def answer(self) -> dict[str, Any]:
        """What the broker is told."""
        return {
            "accepted": True,
            "generation": self.identity.generation_id,
            "method": self.method,
            "expires": self.expires,
            "model": self.model,
        }


class Admission:
    """The checks of a CONNECT at a hub that goes by ``hosts``."""

    def __init__(self, identities: Identities, policies: Policies | None, hosts: Collection[str]) -> None:
        """Without ``policies``, at an edge, devices sign in with their own tokens alone."""
        self._identities = identities
        self._policies = policies
        self._hosts = {host.lower() for host in hosts}

    def check(self, question: dict[str, Any]) -> Admitted:
        """``question`` as the broker asks it. Raises :class:`HubRefused` for whom the registry does not know so."""
        client = str(question.get("client", ""))
        host, model = self._user(str(question.get("user", "")), client)
        identity = self._identities.find(client)
        if identity is None:
            raise device_not_found(client)
        if identity.status != "enabled":
            raise unauthorized(f"The device {client!r} is disabled.")
        password = str(question.get("password", ""))
        if password:
            return self._by_token(identity, host, password, model)
        self._check_certificate(identity, question)
        return Admitted(identity, _method("device", "x509"), 0, model)

    def _user(self, user: str, client: str) -> tuple[str, str]:
        """The host and the model's id of ``host/device/?api-version=…&model-id=…``."""
        path, _, query = user.partition("?")
        parts = path.rstrip("/").split("/")
        if len(parts) != 2 or client not in (parts[1], unquote(parts[1])):
            raise unauthorized("The user name is not host/device/?api-version=2021-04-12 with the client id's device.")
        if parts[0].lower() not in self._hosts:
            raise unauthorized("The user name names another hub.")
        return parts[0], parse_qs(query).get("model-id", [""])[0]

    def _by_token(self, identity: Identity, host: str, password: str, model: str) -> Admitted:
        token = tokens.parse(password)
        if token.key_name and self._policies is not None:
            self._policies.check(token, "DeviceConnect")
            self._check_scope(token, host, identity.device_id)
            return Admitted(identity, _method("hub", "sas"), tokens.holds_until(token), model)
        if token.key_name:
            raise unauthorized("An edge takes devices' own tokens alone.")
        signer = self._signer(token, identity)
        if signer.method != "sas":
            raise unauthorized(f"The device {signer.device_id!r} signs in with a certificate.")
        tokens.check(token, [key for key in signer.keys if key])
        self._check_scope(token, host, signer.device_id)
        return Admitted(identity, _method("device", "sas"), tokens.holds_until(token), model)

    def _signer(self, token: SharedAccessToken, identity: Identity) -> Identity:
        """The device itself, or the edge device that it connects through, which speaks for its children."""
        parts = token.resource.strip("/").split("/")
        named = parts[2] if len(parts) > 2 and parts[1].lower() == "devices" else ""
        parent = self._identities.find(identity.parent) if identity.parent and named == identity.parent else None
        if parent is not None and parent.is_edge and parent.status == "enabled":
            return parent
        return identity

    def _check_scope(self, token: SharedAccessToken, host: str, device_id: str) -> None:
        if not any(tokens.covers(token, name, f"devices/{device_id}") for name in {host.lower(), *self._hosts}):
            raise unauthorized("The token is for another resource.")

    def _check_certificate(self, identity: Identity, question: dict[str, Any]) -> None:
        if identity.method == "sas":
            raise unauthorized("The password is missing: a shared access signature.")
        given = [str(question.get(name, "")) for name in ("thumbprint", "thumbprint256")]
        if identity.method == "selfSigned":
            known = [text.upper() for text in identity.thumbprints if text]
            matches = [hmac.compare_digest(one, other) for one in given if one for other in known]
            if not any(matches):
                raise unauthorized("The certificate is not the one of this device.")
        elif str(question.get("name", "")) != identity.device_id:
            raise unauthorized("The certificate's common name is not the device's id.")


def _method(scope: str, kind: str) -> str:
    return orjson.dumps({"scope": scope, "type": kind, "issuer": "iothub", "acceptingIpFilterRule": None}).decode()
