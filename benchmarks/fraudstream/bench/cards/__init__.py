"""Whether the transactions of the simulator of cards are worth learning from, and how fast they are made."""
