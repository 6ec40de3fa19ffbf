"""Mistakes that compile but surprise."""
