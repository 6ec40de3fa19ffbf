"""What a process is told: settings, where each value comes from, and what of them cannot be meant."""
