"""The grammar of queries and of what they hold: each module reads one kind of it from the words of a text."""
