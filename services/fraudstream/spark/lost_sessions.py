"""How often a batch has ended Spark's process. Such a batch is read with more care when it is tried again.

``<data_dir>/checkpoints/<query>.lost`` has the offsets that the query stood at, and how many processes ended there. The
usual cause is memory: a fetch is limited by its bytes as they are on the wire, and what is compressed may be a thousand
times as large.
"""

from __future__ import annotations

import json
from pathlib import Path

import structlog

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import CheckpointMisfit
from fraudstream.core.kafka.progress import written_offsets
from fraudstream.core.streaming.checkpoints import Checkpoint

# All records of a poll are unpacked at once: of the largest events these are 17 MB, and Kafka's usual 500 are 425.
# Spark asks the broker twice for each poll, so that fewer of them are slower (by a third with 100).
CAREFUL_RECORDS = 20
# A process may end for many reasons. Where this many ended at the same offsets, the batch is taken in parts.
MOST_SESSIONS = 2

log = structlog.get_logger(__name__)


def note_lost_session(settings: Settings, query: str) -> None:
    """Keep that Spark's process ended where the query stands now. Never raises: the job is about to end."""
    try:
        checkpoint = Checkpoint.of(settings, query)
        content = {"at": _place(checkpoint), "sessions": lost_sessions(checkpoint) + 1}
        file = _file(checkpoint)
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_name(f"{file.name}.part")
        partial.write_text(json.dumps(content), "utf-8")
        partial.replace(file)
    except (OSError, CheckpointMisfit) as error:
        log.warning("lost_session_not_noted", query=query, reason=str(error))


def lost_sessions(checkpoint: Checkpoint) -> int:
    """How many processes have ended at the offsets where the checkpoint stands.

    Raises :class:`CheckpointMisfit` where Spark's files cannot be read.
    """
    place = _place(checkpoint)
    try:
        noted = json.loads(_file(checkpoint).read_text("utf-8"))
        return int(noted["sessions"]) if noted["at"] == place else 0
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def forget_lost_sessions(checkpoint: Checkpoint) -> None:
    """Start counting from none, also where the query stands at the same offsets as before."""
    _file(checkpoint).unlink(missing_ok=True)


def polled_records(checkpoint: Checkpoint) -> int | None:
    """How many records a poll may have at most; None for Kafka's default."""
    return CAREFUL_RECORDS if lost_sessions(checkpoint) else None


def _place(checkpoint: Checkpoint) -> str:
    return written_offsets(checkpoint.committed())


def _file(checkpoint: Checkpoint) -> Path:
    return checkpoint.folder.parent / f"{checkpoint.query}.lost"
