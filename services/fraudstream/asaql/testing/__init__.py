"""A project's test cases as Microsoft's tool has them: which they are, what differs, the summary."""
