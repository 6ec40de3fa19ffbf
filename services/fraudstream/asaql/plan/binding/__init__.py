"""From the tree to the plan: names, functions, sources, groups, windows, steps."""
