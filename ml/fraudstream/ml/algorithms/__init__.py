"""The algorithms that a training fits, and their trees in a form that needs no training library."""
