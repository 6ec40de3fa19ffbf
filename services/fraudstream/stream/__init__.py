"""The scoring job: `transactions` → validate → score → `scored`, or `rejected` with the reason."""
