"""The document store: its client, its errors, its limits of rate, and documents of any content."""
