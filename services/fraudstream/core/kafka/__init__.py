"""Kafka: clients built from settings, deliveries with an answer each, and the one lag."""
