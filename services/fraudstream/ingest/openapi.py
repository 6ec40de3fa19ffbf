"""What /docs shows of sending: parameters, bodies and answers."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from fraudstream.core.contract.topics import HTTP_BATCH_TYPE
from fraudstream.ingest.refusal import XML

_EVENT: dict[str, Any] = {
    "type": "object",
    "required": ["Body"],
    "properties": {
        "Body": {"type": "string"},
        "IsBodyBase64": {"type": "boolean"},
        "UserProperties": {"type": "object"},
        "BrokerProperties": {
            "type": "object",
            "properties": {"PartitionKey": {"type": "string", "maxLength": 128}},
        },
    },
}

SEND: dict[str, Any] = {
    "parameters": [
        {
            "name": "api-version",
            "in": "query",
            "schema": {"type": "string", "pattern": "^20[0-9]{2}-[01][0-9]$"},
            "example": "2014-01",
        },
        {"name": "timeout", "in": "query", "schema": {"type": "integer", "minimum": 1, "maximum": 99999}},
        {
            "name": "BrokerProperties",
            "in": "header",
            "description": "JSON with the PartitionKey; all other headers that HTTP does not know are properties.",
            "schema": {"type": "string"},
            "example": '{"PartitionKey": "7"}',
        },
    ],
    "requestBody": {
        "required": True,
        "content": {
            HTTP_BATCH_TYPE: {"schema": {"type": "array", "minItems": 1, "items": _EVENT}},
            "application/json": {"schema": {}},
            "application/atom+xml": {"schema": {"type": "string"}},
        },
    },
    "security": [{"SharedAccessSignature": []}, {"Bearer": []}],
}

_ANSWERS = {
    201: "The broker has all events of the request, with all replicas",
    400: "The request cannot be read",
    401: "The token is missing, wrong, expired, for another resource, or does not allow to send",
    403: "The hub takes no events over HTTP",
    404: "There is no such hub",
    408: "The body came too slowly",
    413: "An event or batch of more than 1 MB",
    429: "The throughput units are used up; Retry-After says when to try again",
    503: "The broker does not answer, or too much is on its way; Retry-After says when to try again",
}
RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": {} if status == 201 else {XML: {"schema": {"type": "string"}}}}
    for status, text in _ANSWERS.items()
}
_SECURITY_SCHEMES: dict[str, Any] = {
    "SharedAccessSignature": {"type": "apiKey", "in": "header", "name": "Authorization"},
    "Bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
}


def complete(description: dict[str, Any], hubs: Collection[str]) -> None:
    """Add what the framework does not know: which hubs there are, what may stand in a path, and how to sign in."""
    schemas = {
        "hub": {"type": "string", "enum": sorted(hubs)},
        "partition": {"type": "string", "pattern": "^[0-9]{1,5}$"},
        "publisher": {"type": "string", "minLength": 1, "maxLength": 128},
    }
    description.setdefault("components", {})["securitySchemes"] = _SECURITY_SCHEMES
    for operations in description["paths"].values():
        for operation in operations.values():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    parameter["schema"] = schemas[parameter["name"]]
            # The framework adds what it answers where it checks parameters itself, which it does not here.
            operation["responses"].pop("422", None)
