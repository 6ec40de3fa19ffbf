"""Sending over HTTP: to our own ingest service, and to Event Hubs itself."""
