"""The text of a query file: words, grammar, and the tree that they give."""
