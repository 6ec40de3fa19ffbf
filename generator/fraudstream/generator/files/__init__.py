"""Files of transactions, read as events of a project; docs/how-to/file-oddities.md says what becomes of what."""
