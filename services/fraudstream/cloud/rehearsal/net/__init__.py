"""What the emulated endpoints share: TLS, connections, HTTP, sign-in, and a count of what none could read."""
