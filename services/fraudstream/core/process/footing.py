"""What every command stands on before anything else: three open streams, and a working folder that is there."""

from __future__ import annotations

import os
import sys

_EXIT_STATUS = 2


def secure() -> None:
    """Open nowhere the streams that were closed (``>&-``), and end with one line where the working folder is gone."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The least free number is taken, which is this one. Else the next file that is opened would be a stream.
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    try:
        # What is relative is below it, and paths are asked for long before anybody could tell an error.
        os.getcwd()  # noqa: PTH109
    except OSError as error:
        sys.stderr.write(
            f"fraudstream: The working folder is gone ({error.strerror}). Change to another one: cd DIR.\n"
        )
        sys.exit(_EXIT_STATUS)
