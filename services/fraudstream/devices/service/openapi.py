"""What /docs shows of the API: the version in the query, headers, and bodies."""

from __future__ import annotations

from typing import Any

from fastapi import Response

from fraudstream.core.access.iot_hub import API_VERSION

_VERSION = {
    "name": "api-version",
    "in": "query",
    "required": True,
    "schema": {"type": "string", "pattern": "^20[0-9]{2}-[01][0-9]-[0-3][0-9]$"},
    "example": API_VERSION,
}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "description": "The ETag of what is to be changed, or `*`.",
    "schema": {"type": "string"},
    "example": "*",
}
_OBJECT: dict[str, Any] = {"type": "object"}
_IDENTITY: dict[str, Any] = {
    "type": "object",
    "properties": {
        "deviceId": {"type": "string"},
        "status": {"enum": ["enabled", "disabled"]},
        "statusReason": {"type": ["string", "null"], "maxLength": 128},
        "capabilities": {"type": "object", "properties": {"iotEdge": {"type": "boolean"}}},
        "authentication": {
            "type": "object",
            "properties": {
                "type": {"enum": ["sas", "selfSigned", "certificateAuthority"]},
                "symmetricKey": _OBJECT,
                "x509Thumbprint": _OBJECT,
            },
        },
        "deviceScope": {"type": "string"},
        "parentScopes": {"type": "array", "items": {"type": "string"}, "maxItems": 1},
    },
}
_TWIN: dict[str, Any] = {
    "type": "object",
    "properties": {"tags": _OBJECT, "properties": {"type": "object", "properties": {"desired": _OBJECT}}},
}
_METHOD: dict[str, Any] = {
    "type": "object",
    "required": ["methodName"],
    "properties": {
        "methodName": {"type": "string", "minLength": 1, "maxLength": 100},
        "payload": {},
        "responseTimeoutInSeconds": {"type": "integer", "minimum": 5, "maximum": 300},
        "connectTimeoutInSeconds": {"type": "integer", "minimum": 0, "maximum": 300},
    },
}
_QUERY: dict[str, Any] = {
    "type": "object",
    "required": ["query"],
    "properties": {"query": {"type": "string"}},
    "example": {"query": "SELECT * FROM devices"},
}


def _text_header(name: str, example: str, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "header", "required": required, "schema": {"type": "string"}, "example": example}


def _described(
    *parameters: dict[str, Any], body: dict[str, Any] | None = None, kind: str = "application/json"
) -> dict[str, Any]:
    """What an operation is added to the application with, beside its address and its summary."""
    content = {} if body is None else {"requestBody": {"required": True, "content": {kind: {"schema": body}}}}
    described = {"parameters": [_VERSION, *parameters], "security": [{"SharedAccessSignature": []}], **content}
    return {"response_class": Response, "openapi_extra": described}


PLAIN = _described()
PUT_IDENTITY = _described(_IF_MATCH, body=_IDENTITY)
CONDITIONAL = _described(_IF_MATCH)
LIST = _described({"name": "top", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 1000}})
QUERY = _described(
    _text_header("x-ms-max-item-count", "100"),
    _text_header("x-ms-continuation", "100"),
    body=_QUERY,
)
CHANGE_TWIN = _described(_IF_MATCH, body=_TWIN)
METHOD = _described(body=_METHOD)
SEND = _described(
    _text_header("iothub-to", "/devices/till-1/messages/devicebound", required=True),
    _text_header("iothub-messageid", "7"),
    _text_header("iothub-ack", "full"),
    _text_header("iothub-expiry", "2026-01-31T09:30:00Z"),
    body={"type": "string", "format": "binary"},
    kind="application/octet-stream",
)
SECURITY: dict[str, Any] = {
    "SharedAccessSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "SharedAccessSignature sr=…&sig=…&se=…&skn=POLICY, by the policy's key",
    }
}
