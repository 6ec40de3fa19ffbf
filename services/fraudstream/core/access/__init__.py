"""What lets a client in: shared access signatures, and the connection strings that they are made from."""
