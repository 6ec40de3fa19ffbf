"""``fraudstream doctor``: whether this machine has what the local profile needs."""
