"""``fraudstream demo``: the whole chain from nothing to scored traffic."""
