"""The dashboards as a browser sees them, over a store with a million transactions."""
