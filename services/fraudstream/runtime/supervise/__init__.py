"""The supervisor: it starts, watches and ends parts, and knows none of them."""
