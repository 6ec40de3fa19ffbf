"""The pages. None imports another."""
