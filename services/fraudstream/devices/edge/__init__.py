"""An edge device: its children connect to it, and it stores what they send and forwards it to the hub."""
