"""What a job says while it repeats the same failure: since when, why, and what to do.

A job tells it twice: in a file beside its ready file, for the supervisor on the same machine, and as the metadata of
the offsets that it commits to its consumer group, which reaches every profile.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

# A launcher that waits for a part names the file that the part makes once it works.
READY_FILE_VARIABLE = "FRAUDSTREAM_READY_FILE"

# Event Hubs takes 1,024 bytes of metadata with an offset ("offset.metadata.max.bytes" of its troubleshooting guide).
MOST_METADATA_BYTES = 1_000
_MOST_REASON = 400
_MOST_ADVICE = 250


@dataclass(frozen=True, slots=True)
class Failing:
    """A failure that repeats; ``since`` is timezone-aware UTC, ``advice`` says what to do about it."""

    since: datetime
    reason: str
    advice: str

    def to_text(self) -> str:
        """One JSON object in ASCII of at most ``MOST_METADATA_BYTES``; long texts are cut."""
        reason, advice = self.reason[:_MOST_REASON], self.advice[:_MOST_ADVICE]
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


def announce_ready() -> None:
    """Tell whoever started this process that it works; does nothing when nobody asked."""
    if path := os.environ.get(READY_FILE_VARIABLE):
        failing_file(Path(path)).unlink(missing_ok=True)
        Path(path).touch()


def announce_failing(failing: Failing) -> None:
    """Take the announcement of readiness back and say why; does nothing when nobody asked."""
    if path := os.environ.get(READY_FILE_VARIABLE):
        target = failing_file(Path(path))
        partial = target.with_name(f"{target.name}.part")
        partial.write_text(failing.to_text(), "utf-8")
        partial.replace(target)
        Path(path).unlink(missing_ok=True)


def read_failing(ready_file: Path) -> Failing | None:
    """What the process with this ready file says of a failure that it repeats; None while there is none."""
    try:
        return Failing.of_text(failing_file(ready_file).read_text("utf-8"))
    except OSError:
        return None


def failing_sentence(ready_file: Path) -> str | None:
    """The same in one line."""
    found = read_failing(ready_file)
    return None if found is None else found.sentence


def failing_file(ready_file: Path) -> Path:
    """Where a process that has this ready file says that it fails."""
    return ready_file.with_name(f"{ready_file.name}.failing")
