"""``fraudstream init``: a project folder from a file of transactions, each guess with its evidence."""
