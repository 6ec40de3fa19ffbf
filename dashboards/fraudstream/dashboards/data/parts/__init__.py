"""The state of each part, as the part itself reports it."""
