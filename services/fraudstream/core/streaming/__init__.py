"""Where a streaming query resumes, whether its topics still fit, and what it says while it fails."""
