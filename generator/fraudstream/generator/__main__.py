"""``python -m fraudstream.generator``: the generator alone, as its container runs it."""

from __future__ import annotations

import sys

from fraudstream.core.errors import FraudstreamError
from fraudstream.core.output.terminal import prepare_output, say
from fraudstream.core.process.environment import adopt
from fraudstream.generator.cli import app
from fraudstream.generator.replay.cli import replay


def main() -> None:
    """Run the command line; an error of ours is one line on stderr and its own exit status."""
    prepare_output()
    app.command()(replay)
    try:
        app(prog_name="python -m fraudstream.generator")
    except FraudstreamError as error:
        say(f"Error: {error}", err=True)
        sys.exit(error.exit_status)


if __name__ == "__main__":
    adopt()
    main()
