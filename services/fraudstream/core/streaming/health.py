"""What a job says while it repeats the same failure: since when, why, and what to do.

A job tells it twice: in a file beside its ready file, for the supervisor on the same machine, and as the metadata of
the offsets that it commits to its consumer group, which reaches every profile.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import structlog

from fraudstream.core.output.redaction import redact

# A launcher that waits for a part names the file that the part makes once it works.
READY_FILE_VARIABLE = "FRAUDSTREAM_READY_FILE"

# Event Hubs takes 1,024 bytes of metadata with an offset ("offset.metadata.max.bytes" of its troubleshooting guide).
MOST_METADATA_BYTES = 1_000
_MOST_REASON = 400
_MOST_ADVICE = 250

# What keeps a file from being written, as it was logged.
_problems: dict[Path, str] = {}

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Failing:
    """A failure that repeats; ``since`` is timezone-aware UTC, ``advice`` says what to do about it."""

    since: datetime
    reason: str
    advice: str

    def to_text(self) -> str:
        """One JSON object in ASCII of at most ``MOST_METADATA_BYTES``; long texts are cut."""
        reason, advice = redact(self.reason)[:_MOST_REASON], self.advice[:_MOST_ADVICE]
        while True:
            content = {"since": self.since.isoformat(timespec="seconds"), "reason": reason, "advice": advice}
            text = json.dumps({"failing": content})
            if len(text) <= MOST_METADATA_BYTES:
                return text
            # Letters beyond ASCII take six bytes each.
            reason, advice = reason[: len(reason) * 3 // 4], advice[: len(advice) * 3 // 4]

    @classmethod
    def of_text(cls, text: str) -> Failing | None:
        """What :meth:`to_text` made; None for any other text."""
        try:
            content = json.loads(text)["failing"]
            since = datetime.fromisoformat(content["since"]).astimezone(UTC)
            return cls(since, str(content["reason"]), str(content["advice"]))
        except (ValueError, KeyError, TypeError, OverflowError):
            return None

    @property
    def sentence(self) -> str:
        """Since when, why, and what to do, in one line."""
        return f"failing since {self.since:%Y-%m-%d %H:%M:%S} UTC: {self.reason.rstrip('.')}. {self.advice}".rstrip()


def announce_ready() -> bool:
    """Tell whoever started this process that it works; does nothing when nobody asked.

    Returns whether it is told. A disk that is full stops no job: the log has it, once while it lasts.
    """
    if not (path := os.environ.get(READY_FILE_VARIABLE)):
        return True
    ready, failure_file = Path(path), failing_file(Path(path))
    return _done(failure_file, partial(failure_file.unlink, missing_ok=True)) and _done(ready, ready.touch)


def announce_running() -> bool:
    """Tell whoever started this process that all of its queries run, which may be long after it was ready for them."""
    if not (path := os.environ.get(READY_FILE_VARIABLE)):
        return True
    target = running_file(Path(path))
    return _done(target, target.touch)


def announce_failing(failing: Failing) -> bool:
    """Take the announcement of readiness back and say why; else as :func:`announce_ready`."""
    if not (path := os.environ.get(READY_FILE_VARIABLE)):
        return True
    ready, target = Path(path), failing_file(Path(path))
    is_written = _done(target, partial(_write_whole, target, failing.to_text()))
    # Also without the reason: a job that fails is not ready.
    return _done(ready, partial(ready.unlink, missing_ok=True)) and is_written


def _write_whole(target: Path, text: str) -> None:
    unfinished = target.with_name(f"{target.name}.part")
    try:
        unfinished.write_text(text, "utf-8")
        unfinished.replace(target)
    except OSError:
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
        raise


def _done(file: Path, change: Callable[[], object]) -> bool:
    """Whether the change of this file could be made."""
    try:
        change()
    except OSError as error:
        problem = error.strerror or str(error)
        if _problems.get(file) != problem:
            log.warning("health_not_announced", file=str(file), reason=problem)
        _problems[file] = problem
        return False
    _problems.pop(file, None)
    return True


def read_failing(ready_file: Path) -> Failing | None:
    """What the process with this ready file says of a failure that it repeats; None while there is none."""
    try:
        return Failing.of_text(failing_file(ready_file).read_text("utf-8"))
    except OSError:
        return None


def failing_sentence(ready_file: Path) -> str | None:
    """The same in one line."""
    failing = read_failing(ready_file)
    return None if failing is None else failing.sentence


def failing_file(ready_file: Path) -> Path:
    """Where a process that has this ready file says that it fails."""
    return ready_file.with_name(f"{ready_file.name}.failing")


def running_file(ready_file: Path) -> Path:
    """Where a process that has this ready file says that its queries run."""
    return ready_file.with_name(f"{ready_file.name}.running")
