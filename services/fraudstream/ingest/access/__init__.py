"""Who may send: shared access policies, signed web tokens, and how much of it a sender may."""
