"""What a process of ours stands on: its environment, folders, proxies and certificates."""
