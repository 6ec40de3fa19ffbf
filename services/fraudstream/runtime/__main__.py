"""``python -m fraudstream.runtime``, and the script ``fraudstream``: the command, in an environment of its own."""

from fraudstream.core.process.environment import adopt


def start() -> None:
    """Run the command line."""
    # First of all: what the environment says about Python holds for the imports, too.
    adopt()
    from fraudstream.runtime.cli import main

    main()


if __name__ == "__main__":
    start()
