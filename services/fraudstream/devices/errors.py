"""What an IoT hub refuses, by the number and the name that the service has for it.

FraudstreamError
├── HubRefused              the hub answers, and does not do what was asked of it
└── HubUnavailable          the hub does not answer

Source: "IoT Hub API common error codes" of the service's REST reference.
"""

from __future__ import annotations

from fraudstream.core.errors import FraudstreamError, UnavailableError


class HubRefused(FraudstreamError):
    """The hub answers, and does not do what was asked of it; ``code`` is the service's number, ``name`` its name."""

    def __init__(self, message: str, code: int, name: str) -> None:
        super().__init__(message)
        self.code = code
        self.name = name

    @property
    def status(self) -> int:
        """The status of the HTTP answer."""
        return self.code // 1000


class HubUnavailable(UnavailableError):
    """The hub does not answer."""


def invalid(message: str) -> HubRefused:
    """A request that cannot be read, or that breaks a rule."""
    return HubRefused(message, 400_004, "ArgumentInvalid")


def too_large(message: str) -> HubRefused:
    """A body, a message or a twin beyond the service's limit."""
    return HubRefused(message, 413_001, "MessageTooLarge")


def unauthorized(message: str) -> HubRefused:
    """A token that does not hold for the request, or a policy without the right."""
    return HubRefused(message, 401_003, "IotHubUnauthorized")


def device_not_found(device_id: str) -> HubRefused:
    """There is no device of that id."""
    return HubRefused(
        f"There is no device {device_id!r}. `fraudstream device list` has all.", 404_001, "DeviceNotFound"
    )


def device_exists(device_id: str) -> HubRefused:
    """A device of that id is there already."""
    return HubRefused(
        f"There is a device {device_id!r} already. Send If-Match to update it.", 409_001, "DeviceAlreadyExists"
    )


def precondition_failed(device_id: str) -> HubRefused:
    """The ETag in If-Match is not the one of what is stored."""
    return HubRefused(
        f"The ETag in If-Match is not that of {device_id!r}. Read it again, and send its ETag or `*`.",
        412_001,
        "PreconditionFailed",
    )
