"""The store job: `scored`, `labels` and `rejected` → documents and rollups."""
