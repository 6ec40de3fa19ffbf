"""The rules of an IoT hub that takes devices in.

An MQTT client is told of a broken rule by the end of its connection alone: "closes", with the code that the service's
logs have. A code of three digits is the status of the REST API, and of an answer about a twin.
"""

from __future__ import annotations

from fraudstream.cloud.rules.rule import Rule, numbering

_DOCS = "https://learn.microsoft.com/azure/iot-hub/"
_QUOTAS = f"{_DOCS}iot-hub-devguide-quotas-throttling (08/08/2019)"
_CLOSES = "https://github.com/MicrosoftDocs/azure-docs/issues/107838"
_TWINS = f"{_DOCS}iot-hub-devguide-device-twins"
_BUILT_IN = f"{_DOCS}iot-hub-devguide-messages-read-builtin"
_SCALING = f"{_DOCS}iot-hub-scaling"
_EDGE = "https://learn.microsoft.com/azure/iot-edge/iot-edge-limits-and-restrictions"
_ACCESS = f"{_DOCS}authenticate-authorize-sas (03/2025)"
_CONSTRUCT = f"{_DOCS}iot-hub-devguide-messages-construct"
_UNITS = "more iotHubUnits or another iotHubSku in the parameter file"
_LOCAL = "keep the limit of fraudstream.devices at the service's"

_rule = numbering("IH", "iot hub")

RULES: tuple[Rule, ...] = (
    _rule(
        1,
        "a day's messages of devices, counted in steps of 4 KB, are within the units' quota",
        f"{_UNITS}; expectedDeviceEventsPerSecond says how many events devices send",
        _QUOTAS,
        "closes (403002 IoTHubQuotaExceeded)",
    ),
    _rule(
        2,
        "devices send no faster than the units allow (S1: 12 a second each, 100 for all)",
        _UNITS,
        _CLOSES,
        "closes (429002)",
    ),
    _rule(
        3,
        "devices connect no faster than the units allow (S1: 12 a second each, 100 for all)",
        f"{_UNITS}, or tokens that hold for longer",
        _QUOTAS,
        "closes (429001 ThrottlingException)",
    ),
    _rule(
        4,
        "a message of a device has at most 256 KB",
        "smaller events, or senders over HTTP or Kafka",
        _QUOTAS,
        "closes (413001 MessageTooLarge)",
    ),
    _rule(
        5,
        "the registry is asked no more than 100 times a minute and unit (S3: 5,000)",
        "register devices with import jobs, or with more iotHubUnits for a while",
        _QUOTAS,
        "429 ThrottlingException",
        "warning",
    ),
    _rule(6, "twins are read no more often than the tier allows", _UNITS, _QUOTAS, "429 Throttled", "warning"),
    _rule(7, "twins are changed no more often than the tier allows", _UNITS, _QUOTAS, "429 Throttled", "warning"),
    _rule(8, "tags have at most 8 KB, desired and reported properties 32 KB each", _LOCAL, _TWINS, "413 too large"),
    _rule(
        9,
        "methods carry at most 128 KB, and no more bytes a second than the units allow, in steps of 4 KB",
        _UNITS,
        _QUOTAS,
        "429 ThrottlingException",
    ),
    _rule(
        10, "messages go to devices no faster than 100 a minute and unit", _UNITS, _QUOTAS, "429 ThrottlingException"
    ),
    _rule(
        11,
        "a device has at most 50 messages waiting, of 64 KB each",
        _LOCAL,
        _QUOTAS,
        "403 DeviceMaximumQueueDepthExceeded",
    ),
    _rule(
        12,
        "twins, methods, messages to devices and edge devices need a tier that has them (F1, S1 to S3)",
        "iotHubSku in the parameter file: S1",
        _SCALING,
        "403 (403010)",
    ),
    _rule(
        13, "an edge device has at most 100 children, and five layers below it", _LOCAL, _EDGE, "400 ArgumentInvalid"
    ),
    _rule(
        14,
        "the built-in endpoint keeps messages for 1 to 7 days, and has no more partitions than the tier allows",
        "iotHubRetentionDays, iotHubPartitions in the parameter file",
        f"{_BUILT_IN}, iot-hub-scaling",
        "400 (control plane)",
    ),
    _rule(
        15,
        "Kafka clients read an event hub that a route fills: the built-in endpoint speaks AMQP alone",
        "set Kafka's address and connection string to the namespace's; azure/modules/iothub.bicep has the route",
        _BUILT_IN,
    ),
    _rule(
        16,
        "the policy's connection string is whole, and of a hub below azure-devices.net",
        "copy it again: `az iot hub connection-string show`",
        _ACCESS,
        "401 IotHubUnauthorized",
    ),
    _rule(
        17,
        "clients reach the hub over TLS, by its own name",
        "leave FRAUDSTREAM_IOT_HUB_URL and FRAUDSTREAM_IOT_HUB_MQTT_URL empty",
        f"{_DOCS}iot-mqtt-connect-to-iot-hub (06/2023)",
        "closes",
    ),
    _rule(
        18,
        "what keeps state by another key than the device does not rest on the topic's order: it is each device's own",
        "let TIMESTAMP BY a time of the event decide the order, or send through a Kafka client with the project's key",
        _CONSTRUCT,
        severity="warning",
    ),
    _rule(
        19,
        "a hub has at most 1,000,000 devices, and 200 units (S3: 10)",
        "another hub, or another iotHubSku",
        _QUOTAS,
        "400 (control plane)",
    ),
)
