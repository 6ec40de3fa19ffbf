"""The project: everything that is particular to one stream of transactions, read from a folder of data."""
