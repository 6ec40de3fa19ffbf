"""Shared by the emulated endpoints: TLS, connections, HTTP, sign-in, and counts of unreadable requests."""
