"""Pages that are made from code, tests' markers and results: ``python -m docs.makers --check|--write [PROJECT]``."""
