"""Running another of our commands from a command of ours: parts meet through the command line, not through imports."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson

from fraudstream.core.errors import FraudstreamError
from fraudstream.core.process import environment

COMMAND = (sys.executable, "-m", "fraudstream.runtime")


@contextmanager
def started(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """The command, running, with ``subprocess.Popen``'s options; it ends at the latest with the block.

    Its environment is the one that ours run in, with the variables of the option ``env``.
    """
    further = options.pop("env", {})
    whole = {**environment.made({**os.environ, **further}), **further}
    with ended(subprocess.Popen(command, env=whole, **options)) as process:
        yield process


@contextmanager
def ended(process: subprocess.Popen[bytes]) -> Iterator[subprocess.Popen[bytes]]:
    """The process, which ends at the latest with the block."""
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


def run_command(*words: str) -> Any:
    """Run ``fraudstream WORDS --json`` and read the JSON object that it prints.

    Raises :class:`FraudstreamError` with the last line of its stderr.
    """
    command = [*COMMAND, *words, *([] if "--json" in words else ["--json"])]
    done = subprocess.run(command, capture_output=True, env=environment.made(os.environ))
    if done.returncode:
        raise FraudstreamError(f"`fraudstream {' '.join(words)}` failed: {last_words(done.stderr, done.returncode)}")
    return orjson.loads(done.stdout)


def last_words(stderr: bytes, status: int) -> str:
    """The last line that a command of ours wrote, which is the reason where it failed."""
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1].removeprefix("fraudstream: ") if lines else f"exit status {status}"
