"""The pages: live decisions, history report, explorer and state of the system."""
