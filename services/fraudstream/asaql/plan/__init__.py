"""The bound plan of a query file: names resolved, functions checked, windows and bounds in ticks."""
