"""``python -m fraudstream.runtime``: the ``fraudstream`` command."""

from fraudstream.runtime.cli import main

if __name__ == "__main__":
    main()
