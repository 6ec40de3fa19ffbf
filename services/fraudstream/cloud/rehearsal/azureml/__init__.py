"""Azure ML: its online endpoint in front of the scoring service, and its registry."""
