"""Event Hubs' namespace: a real broker behind a gateway that enforces the service's rules."""
