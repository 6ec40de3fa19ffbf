"""The history report."""
