"""Makes transactions: labelled history, live traffic and malformed records, and sends them to Kafka."""
