"""The command, the supervisor, and the parts that it runs on this machine."""
