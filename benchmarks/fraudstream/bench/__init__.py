"""Benchmarks: what the stream, the scoring service and the store job carry, each beside its baselines in one run."""
