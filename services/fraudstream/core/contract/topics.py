"""The one table of topics, from which every profile creates them."""

from __future__ import annotations

from dataclasses import dataclass

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.project.project import Project

DAY_MS = 24 * 60 * 60 * 1000

# Event Hubs' largest publication in Standard, Premium and Dedicated (event-hubs-quotas, "Maximum size of
# Event Hubs publication"): 1 MB.
PUBLICATION_BYTES = 1024 * 1024

# The largest event, everywhere: scored, it carries its decision as well, and has to fit into a publication again.
# One that did not would stop the stream for good.
MAX_EVENT_BYTES = PUBLICATION_BYTES - 128 * 1024

# What a record may have beside its value: a key, headers, and the batch around it (61 bytes, and up to 21 a record, in
# Kafka's message format 2).
RECORD_FRAME_BYTES = 4 * 1024
MOST_RECORD_BYTES = PUBLICATION_BYTES - RECORD_FRAME_BYTES

# A record's header that says by which way it came in, where that was not Kafka's own protocol: `http`.
VIA_HEADER = "fraudstream-via"

# The content type of a batch over HTTP (learn.microsoft.com/rest/api/eventhub/send-batch-events).
HTTP_BATCH_TYPE = "application/vnd.microsoft.servicebus.json"

# As many bytes as our own senders put into a batch over HTTP; its JSON may write a character as six.
HTTP_BATCH_BYTES = 192 * 1024

TRANSACTIONS = "transactions"
SCORED = "scored"
ALERTS = "alerts"
REJECTED = "rejected"
LABELS = "labels"
MONITORING = "monitoring"
_FURTHER = "what the project's query writes to it"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic: values are JSON, keys the project's partition key as text. ``retention_ms`` is in milliseconds."""

    name: str
    purpose: str
    retention_ms: int
    max_message_bytes: int

    def broker_configs(self) -> dict[str, str]:
        """Kafka's topic settings. The broker stamps records, as Event Hubs does (EventEnqueuedUtcTime)."""
        return {
            "cleanup.policy": "delete",
            "retention.ms": str(self.retention_ms),
            "max.message.bytes": str(self.max_message_bytes),
            "message.timestamp.type": "LogAppendTime",
        }


# The local broker takes messages larger than the contract allows, so that an oversized event is seen,
# rejected and accounted for, where a broker with the cloud's limit would have refused its producer.
TOPICS: tuple[Topic, ...] = (
    Topic(TRANSACTIONS, "transactions as their senders made them", 7 * DAY_MS, 4 * PUBLICATION_BYTES),
    Topic(SCORED, "valid transactions with the model's decision", 7 * DAY_MS, 2 * PUBLICATION_BYTES),
    Topic(ALERTS, "those of them that the model takes for fraud", 7 * DAY_MS, 2 * PUBLICATION_BYTES),
    Topic(REJECTED, "events that break the contract, with the reason", 7 * DAY_MS, 2 * PUBLICATION_BYTES),
    Topic(LABELS, "labelled transactions (history)", 7 * DAY_MS, 2 * PUBLICATION_BYTES),
    Topic(MONITORING, "what `fraudstream monitor --publish` saw of the model", 7 * DAY_MS, PUBLICATION_BYTES),
)


def topics_of(project: Project) -> tuple[Topic, ...]:
    """The table with what the project's query writes to beside it, in the order of its outputs.

    Raises :class:`ConfigurationError` for an output whose name Event Hubs would not tell from another topic's.
    """
    known = {topic.name.casefold(): topic.name for topic in TOPICS}
    further = []
    for name in project.outputs:
        topic = known.setdefault(name.casefold(), name)
        if topic != name:
            raise ConfigurationError(
                f"An output of {project.folder} goes to {name}, and there is the topic {topic}. Event Hubs does not "
                "tell them apart: write it in the same case, or rename it."
            )
        if all(name != other.name for other in TOPICS):
            further.append(Topic(name, _FURTHER, 7 * DAY_MS, 2 * PUBLICATION_BYTES))
    return (*TOPICS, *further)


def partitions(settings: Settings) -> int:
    """How many partitions each topic is created with."""
    return settings.topic_partitions
