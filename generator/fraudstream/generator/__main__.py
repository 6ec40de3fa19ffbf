"""``python -m fraudstream.generator``: the generator alone, as its container runs it."""

from __future__ import annotations

import sys

import typer

from fraudstream.core.errors import FraudstreamError
from fraudstream.generator.cli import app


def main() -> None:
    """Run the command line; an error of ours is one line on stderr and its own exit status."""
    try:
        app(prog_name="python -m fraudstream.generator")
    except FraudstreamError as error:
        typer.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_status)


if __name__ == "__main__":
    main()
