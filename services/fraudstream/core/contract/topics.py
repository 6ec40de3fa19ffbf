"""The one table of topics, from which every profile creates them."""

from __future__ import annotations

from dataclasses import dataclass

from fraudstream.core.configuration.settings import Settings

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

TRANSACTIONS = "transactions"
SCORED = "scored"
REJECTED = "rejected"
LABELS = "labels"


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic: values are JSON, keys the transaction id as text. ``retention_ms`` is in milliseconds."""

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
    Topic(REJECTED, "events that break the contract, with the reason", 7 * DAY_MS, 2 * PUBLICATION_BYTES),
    Topic(LABELS, "labelled transactions (history)", 7 * DAY_MS, 2 * PUBLICATION_BYTES),
)


def partitions(settings: Settings) -> int:
    """How many partitions each topic is created with."""
    return settings.topic_partitions
