"""TLS certificates of this machine: its own authority, and what that signs."""
