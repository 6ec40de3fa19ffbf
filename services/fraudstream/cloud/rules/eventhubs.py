"""The rules of Event Hubs' Kafka endpoint. Codes are Kafka's error codes; "closes" means that the connection ends."""

from __future__ import annotations

from fraudstream.cloud.rules.rule import Rule, numbering

_DOCS = "https://learn.microsoft.com/azure/event-hubs/"
_CONFIGURATION = f"{_DOCS}apache-kafka-configurations (12/17/2025)"
_TROUBLE = f"{_DOCS}apache-kafka-troubleshooting-guide"
_OVERVIEW = f"{_DOCS}azure-event-hubs-apache-kafka-overview (02/05/2026)"
_QUOTAS = f"{_DOCS}event-hubs-quotas (02/05/2026)"
_REST = "https://learn.microsoft.com/rest/api/eventhub/event-hubs-runtime-rest"
_SAMPLES = "https://github.com/Azure/azure-event-hubs-for-kafka (README, tutorials/oauth)"

_rule = numbering("EH", "event hubs")

RULES: tuple[Rule, ...] = (
    _rule(1, "clients connect with SASL_SSL", "FRAUDSTREAM_KAFKA_SECURITY_PROTOCOL=SASL_SSL", _CONFIGURATION, "closes"),
    _rule(
        2,
        "the SASL mechanism is PLAIN or OAUTHBEARER",
        "FRAUDSTREAM_KAFKA_SASL_MECHANISM=PLAIN",
        _CONFIGURATION,
        "33 UNSUPPORTED_SASL_MECHANISM",
    ),
    _rule(
        3,
        "PLAIN's user is literally $ConnectionString",
        "FRAUDSTREAM_KAFKA_SASL_USERNAME='$ConnectionString' (in single quotes; `$$` in Compose files)",
        _CONFIGURATION,
        "58 SASL_AUTHENTICATION_FAILED",
    ),
    _rule(
        4,
        "the password is a connection string, not a SAS token",
        "use the policy's connection string, or OAUTHBEARER",
        _SAMPLES,
        "58 SASL_AUTHENTICATION_FAILED",
    ),
    _rule(
        5,
        "the connection string is whole: endpoint, key name and the key's 44 characters",
        "copy the connection string again: `az eventhubs namespace authorization-rule keys list`",
        _TROUBLE,
        "58 SASL_AUTHENTICATION_FAILED",
    ),
    _rule(
        6,
        "the port is 9093 on <namespace>.servicebus.windows.net",
        "FRAUDSTREAM_KAFKA_BOOTSTRAP_SERVERS=<namespace>.servicebus.windows.net:9093",
        _CONFIGURATION,
        "nothing listens",
    ),
    _rule(
        7,
        "a hub's own policy comes with its EntityPath",
        "append `;EntityPath=<hub>`, or use a policy of the namespace",
        _TROUBLE,
        "58 SASL_AUTHENTICATION_FAILED",
    ),
    _rule(
        8,
        "a connection string with an EntityPath reaches that hub only",
        "use a policy of the namespace for a process that uses several hubs",
        _TROUBLE,
        "29 TOPIC_AUTHORIZATION_FAILED",
    ),
    _rule(
        9,
        "the connection string belongs to the namespace of the bootstrap servers",
        "take both from the same namespace",
        _TROUBLE,
        "58 SASL_AUTHENTICATION_FAILED",
    ),
    _rule(
        10,
        "the namespace's tier has a Kafka endpoint (not Basic)",
        "eventHubsSku in the parameter file: Standard, Premium or Dedicated",
        _OVERVIEW,
        "29 TOPIC_AUTHORIZATION_FAILED",
    ),
    _rule(
        11,
        "a produce request has less than 1,046,528 bytes",
        "FRAUDSTREAM_KAFKA_MAX_REQUEST_BYTES=1000000",
        _CONFIGURATION,
        "closes",
    ),
    _rule(
        12,
        "an event or batch has at most 1 MB (Basic: 256 KB)",
        "keep core.contract.topics.MAX_EVENT_BYTES, with room for the decision, below the tier's publication size",
        _QUOTAS,
        "10 MESSAGE_TOO_LARGE",
    ),
    _rule(
        13,
        "compression is none, or gzip in Premium and Dedicated",
        "leave compression_type unset (kafka.compression.type=none)",
        _OVERVIEW,
        "43 UNSUPPORTED_FOR_MESSAGE_FORMAT",
    ),
    _rule(
        14,
        "clients end idle connections before Azure does: connections.max.idle.ms < 240000",
        "connections_max_idle_ms=180000",
        _CONFIGURATION,
        "closes after 240 s",
    ),
    _rule(
        15,
        "metadata is renewed before the connection is idle for too long: metadata.max.age.ms < 240000",
        "metadata_max_age_ms=180000",
        _CONFIGURATION,
        "closes after 240 s",
    ),
    _rule(
        16,
        "request.timeout.ms is at least 20000 (60000 recommended): a throttled answer is delayed, not refused",
        "request_timeout_ms=60000",
        _CONFIGURATION,
        "44 POLICY_VIOLATION",
    ),
    _rule(
        17,
        "a hub has no more partitions than the tier allows",
        "topic_partitions in core/configuration/profiles/azure.toml",
        _QUOTAS,
        "400 (control plane)",
    ),
    _rule(
        18,
        "a namespace has no more hubs than the tier allows",
        "fewer topics, or a second namespace",
        _QUOTAS,
        "400 (control plane)",
    ),
    _rule(
        19,
        "no more consumer groups than the tier allows",
        "share the groups in core.kafka.progress",
        _QUOTAS,
        "44 POLICY_VIOLATION",
    ),
    _rule(
        20,
        "topics are not created, changed or deleted through Kafka's admin API",
        "create hubs with the templates: azure/deploy.sh",
        _OVERVIEW,
        "29 TOPIC_AUTHORIZATION_FAILED",
    ),
    _rule(
        21,
        "retention is no longer than the tier allows",
        "retention_ms in core.contract.topics",
        _QUOTAS,
        "400 (control plane)",
    ),
    _rule(
        22,
        "no transactional producers (Standard)",
        "leave transactional_id unset; every sink is idempotent",
        _CONFIGURATION,
        "53 TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
    ),
    _rule(
        23,
        "session.timeout.ms is between 6000 and 300000",
        "session_timeout_ms=30000",
        _CONFIGURATION,
        "26 INVALID_SESSION_TIMEOUT",
    ),
    _rule(
        24,
        "an offset's metadata has at most 1024 bytes",
        "commit offsets without metadata",
        _TROUBLE,
        "12 OFFSET_METADATA_TOO_LARGE",
    ),
    _rule(25, "a group's id has at most 256 characters", "a shorter group_id", _TROUBLE, "24 INVALID_GROUP_ID"),
    _rule(
        26,
        "every topic that is used exists as a hub of the templates",
        "add the topic to core.contract.topics.TOPICS",
        _SAMPLES,
        "3 UNKNOWN_TOPIC_OR_PARTITION",
    ),
    _rule(
        27,
        "throughput units suffice for the expected rate (1 MB/s or 1,000 events/s each, in)",
        "raise throughputUnits in the parameter file, or let it inflate",
        _QUOTAS,
        "",
        "warning",
    ),
    _rule(
        28,
        "OAUTHBEARER asks for the namespace's scope, with a role of Event Hubs",
        "FRAUDSTREAM_KAFKA_OAUTH_SCOPE=https://<namespace>.servicebus.windows.net/.default",
        _SAMPLES,
        "58 SASL_AUTHENTICATION_FAILED",
    ),
    _rule(
        29,
        "what Spark writes to Kafka goes with the options that this linter looks at, and no other",
        "`.options(**spark_sink_options(settings))` of core.kafka.clients, and no `kafka.…` option beside it",
        "docs/how-to/azure.md",
    ),
    _rule(
        30,
        "senders over HTTP post to the namespace, over https",
        "leave FRAUDSTREAM_INGEST_URL unset, or https://<namespace>.servicebus.windows.net",
        _REST,
    ),
    _rule(
        31,
        "the connection string of senders over HTTP is whole, and of the namespace",
        "copy it again: `az eventhubs namespace authorization-rule keys list`",
        _REST,
    ),
    _rule(
        32,
        "a batch over HTTP has at most 1 MB (Basic: 256 KB)",
        "keep core.contract.topics.HTTP_BATCH_BYTES below the tier's publication size",
        _QUOTAS,
    ),
)
