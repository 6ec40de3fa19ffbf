"""Cosmos DB for MongoDB (RU): an endpoint that enforces the service's rules in front of the document store."""
