"""Running another of our commands from a command of ours: parts meet through the command line, not through imports."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson

from fraudstream.core.errors import FraudstreamError

COMMAND = (sys.executable, "-m", "fraudstream.runtime")


@contextmanager
def started(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """The command, running, with ``subprocess.Popen``'s options; it ends at the latest with the block."""
    process: subprocess.Popen[bytes] = subprocess.Popen(command, **options)
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
    done = subprocess.run([*COMMAND, *words, *([] if "--json" in words else ["--json"])], capture_output=True)
    if done.returncode:
        raise FraudstreamError(f"`fraudstream {' '.join(words)}` failed: {last_words(done.stderr, done.returncode)}")
    return orjson.loads(done.stdout)


def last_words(stderr: bytes, status: int) -> str:
    """The last line that a command of ours wrote, which is the reason where it failed."""
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1].removeprefix("fraudstream: ") if lines else f"exit status {status}"
