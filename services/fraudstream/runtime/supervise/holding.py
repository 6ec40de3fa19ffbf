"""Parts that wait while a command has better use for the processors: a demo, until a champion scores."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fraudstream.core.process import folders
from fraudstream.runtime.supervise import process
from fraudstream.runtime.supervise.data_folder import HOLDER
from fraudstream.runtime.supervise.state import run_dir


@contextmanager
def held_back(data_dir: Path) -> Iterator[None]:
    """Parts that nobody waits for are not started before the block ends, or this process does."""
    file = run_dir(data_dir) / HOLDER
    folders.make(file.parent)
    file.write_text(json.dumps([os.getpid(), process.create_time(os.getpid())]), "utf-8")
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def is_held_back(data_dir: Path) -> bool:
    """Whether such a block runs."""
    try:
        pid, created = json.loads((run_dir(data_dir) / HOLDER).read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return process.same_process(pid, created)
