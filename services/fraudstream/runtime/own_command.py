"""Running another of our commands from a command of ours: parts meet through the command line, not through imports."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson

from fraudstream.core.errors import FraudstreamError
from fraudstream.core.process import environment

COMMAND = (sys.executable, "-m", "fraudstream.runtime")

_NICENESS = 19


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


@dataclass(frozen=True, slots=True)
class Running:
    """A command of ours that is at work."""

    words: tuple[str, ...]
    process: subprocess.Popen[bytes]
    output: IO[bytes]
    errors: IO[bytes]

    def begin(self) -> None:
        """Let a command begin that holds until it is told."""
        if self.process.stdin is not None:
            # One that has ended already says why in its result.
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.write(b"begin\n")
                self.process.stdin.flush()

    def result(self) -> Any:
        """The JSON object that it prints. Raises :class:`FraudstreamError` with the last line of its stderr."""
        status = self.process.wait()
        if status:
            self.errors.seek(0)
            reason = last_words(self.errors.read(), status)
            raise FraudstreamError(f"`fraudstream {' '.join(self.words)}` failed: {reason}")
        self.output.seek(0)
        return orjson.loads(self.output.read())


@contextmanager
def running(*words: str, holds: bool = False) -> Iterator[Running]:
    """``fraudstream WORDS --json``, running; it ends at the latest with the block.

    One that ``holds`` is loaded and does nothing until :meth:`Running.begin`.
    """
    words = (*words, "--hold") if holds else words
    command = [*COMMAND, *words, *([] if "--json" in words else ["--json"])]
    with (
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryFile() as errors,
        started(command, stdin=subprocess.PIPE if holds else None, stdout=output, stderr=errors) as process,
    ):
        yield Running(words, process, output, errors)


def run_command(*words: str) -> Any:
    """Run ``fraudstream WORDS --json`` and read the JSON object that it prints; raises as :meth:`Running.result`."""
    with running(*words) as command:
        return command.result()


def give_way(process: subprocess.Popen[bytes]) -> None:
    """Give a process that has just been started in a session of its own, and what it will start, the lowest priority.

    Linux shares a processor among sessions first: what is nice in a session counts there alone.
    """
    import psutil  # of those who call this

    with contextlib.suppress(psutil.Error, OSError):
        started_one = psutil.Process(process.pid)
        started_one.nice(_NICENESS)
        if sys.platform == "linux":
            started_one.ionice(psutil.IOPRIO_CLASS_IDLE)
            Path(f"/proc/{process.pid}/autogroup").write_text(str(_NICENESS), "utf-8")


def last_words(stderr: bytes, status: int) -> str:
    """The last line that a command of ours wrote, which is the reason where it failed."""
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1].removeprefix("fraudstream: ") if lines else f"exit status {status}"
