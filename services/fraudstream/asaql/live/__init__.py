"""Queries on topics, with a state that outlives restarts: for `query run --live`, and for a job's windows."""
