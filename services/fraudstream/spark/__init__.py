"""Spark, as every job uses it: session, functions of its Java process, and the loop that keeps queries running."""
