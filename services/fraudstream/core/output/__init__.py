"""What reaches people: text without secrets or control characters, on terminals and in logs."""
