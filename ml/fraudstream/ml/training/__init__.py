"""A training from the stored history to a registered version."""
