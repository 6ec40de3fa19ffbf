"""What the benchmarks share: a stage, contenders, load, and the results as figures and tables."""
