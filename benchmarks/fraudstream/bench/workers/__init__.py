"""Programs that the harness starts in environments of their own; they import nothing of ours."""
