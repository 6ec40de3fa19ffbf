"""Events in over HTTP: Event Hubs' send API in front of the broker, for senders that have no Kafka client."""
