"""The scoring service: rows in over HTTP, the champion's decisions out."""
