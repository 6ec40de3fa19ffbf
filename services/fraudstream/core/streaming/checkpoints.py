"""Where a streaming query resumes: Spark's checkpoint, and the offsets at which a new one starts.

``<data_dir>/checkpoints/<query>.json`` names the folder in use, the offsets that its first batch starts at, and the ids
of the topics that it belongs to. Replacing that file moves a query on in one step, for both triggers and without a
change to anything that Spark wrote: a folder is never edited, another one takes its place.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kafka import TopicPartition

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import CheckpointMisfit
from fraudstream.core.kafka.progress import parsed_offsets, written_offsets

_VERSION_LINES = ("v1", "v2")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A query's checkpoint. ``starts``: where its first batch begins, by partition; absent ones at their first record.

    ``topics`` maps a topic to the id that it had; ``seeded_at`` (UTC): when its state was begun from the documents.
    """

    query: str
    folder: Path
    starts: Mapping[TopicPartition, int] = field(default_factory=dict)
    topics: Mapping[str, str] = field(default_factory=dict)
    seeded_at: datetime | None = None

    @classmethod
    def of(cls, settings: Settings, query: str) -> Checkpoint:
        """The one in use. Raises :class:`CheckpointMisfit` where the file that names it cannot be read."""
        folder = settings.data_dir.absolute() / "checkpoints"
        file = folder / f"{query}.json"
        try:
            named = json.loads(file.read_text("utf-8"))
            seeded = named["seeded_at"]
            return cls(
                query,
                folder / str(named["folder"]),
                parsed_offsets(named["starts"]),
                {str(topic): str(number) for topic, number in named["topics"].items()},
                datetime.fromisoformat(seeded).astimezone(UTC) if seeded else None,
            )
        except FileNotFoundError:
            return cls(query, folder / query)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise CheckpointMisfit(
                f"{file} cannot be read ({type(error).__name__}: {error}). `fraudstream recover` makes another one."
            ) from error

    @property
    def file(self) -> Path:
        """The file that names this checkpoint."""
        return self.folder.parent / f"{self.query}.json"

    @property
    def seed(self) -> Path:
        """The folder with what the state of a seeded query begins with."""
        return self.folder.with_name(f"{self.folder.name}.seed")

    @property
    def withdrawn(self) -> Path:
        """The folder with what the rollups have counted and are to count no more.

        It outlives the checkpoint: a batch of documents that is under way goes on writing there.
        """
        return self.folder.with_name(f"{self.query}.withdrawn")

    @property
    def is_new(self) -> bool:
        """No batch was ever planned in it."""
        return next(_batches(self.folder / "offsets"), None) is None

    def committed(self) -> dict[TopicPartition, int]:
        """The offsets behind the last batch that was finished; where it starts while there is none.

        Raises :class:`CheckpointMisfit` where Spark's files cannot be read.
        """
        last = max(_batches(self.folder / "commits"), default=None)
        self._require_identity()
        if last is None:
            return dict(self.starts)
        self._require_commit(last)
        return self._offsets(last)

    def planned(self) -> dict[TopicPartition, int] | None:
        """The offsets behind the batch under way; None where none is planned, as in real-time mode."""
        last = max(_batches(self.folder / "offsets"), default=None)
        done = max(_batches(self.folder / "commits"), default=-1)
        return None if last is None or last <= done else self._offsets(last)

    def remember(self, topics: Mapping[str, str], begins: Mapping[TopicPartition, int]) -> Checkpoint:
        """The same, with these topics' ids; a new one without starts begins at ``begins``.

        Without the starts nothing would tell, until the first batch is finished, that records were deleted meanwhile.
        """
        starts = dict(begins) if self.is_new and not self.starts else self.starts
        changed = replace(self, topics={**self.topics, **topics}, starts=starts)
        if changed != self:
            changed.write()
        return changed

    def moved_to(
        self, starts: Mapping[TopicPartition, int], topics: Mapping[str, str], *, seeded: bool = False
    ) -> Checkpoint:
        """A new one in its place that starts at these offsets; the former folder is deleted.

        ``seeded``: its state begins with the documents that are stored when it is first used.
        """
        others = [self.folder.name, *(entry.name for entry in self.folder.parent.glob(f"{self.query}.*"))]
        numbers = [int(name.rpartition(".")[2]) for name in others if name.rpartition(".")[2].isdecimal()]
        folder = self.folder.with_name(f"{self.query}.{max(numbers, default=0) + 1}")
        moved = Checkpoint(self.query, folder, dict(starts), dict(topics), datetime.now(UTC) if seeded else None)
        moved.write()
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.seed, ignore_errors=True)
        if any(topics.get(name, number) != number for name, number in self.topics.items()):
            # Of records that had the offsets before.
            shutil.rmtree(self.withdrawn, ignore_errors=True)
        return moved

    def write(self) -> None:
        """Replace the file that names the checkpoint, in one step."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        partial = self.file.with_name(f"{self.file.name}.part")
        content = {
            "folder": self.folder.name,
            "starts": json.loads(written_offsets(self.starts)),
            "topics": dict(self.topics),
            "seeded_at": self.seeded_at.isoformat() if self.seeded_at else None,
        }
        partial.write_text(json.dumps(content, indent=1), "utf-8")
        partial.replace(self.file)

    def _require_identity(self) -> None:
        """Raises :class:`CheckpointMisfit` where Spark cannot read which query it is of, which it does at the start."""
        file = self.folder / "metadata"
        try:
            json.loads(file.read_text("utf-8"))["id"]
        except FileNotFoundError as error:
            if not self.is_new:
                raise _unreadable(file, error) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _unreadable(file, error) from error

    def _require_commit(self, batch: int) -> None:
        """Raises :class:`CheckpointMisfit` where the file is not whole that says that the batch was finished."""
        file = self.folder / "commits" / str(batch)
        try:
            version, *content = file.read_text("utf-8").splitlines() or [""]
            if version not in _VERSION_LINES:
                raise ValueError(f"its first line is {version!r}")
            if content:
                json.loads(content[0])
        except (OSError, ValueError) as error:
            raise _unreadable(file, error) from error

    def _offsets(self, batch: int) -> dict[TopicPartition, int]:
        file = self.folder / "offsets" / str(batch)
        try:
            version, metadata, *sources = file.read_text("utf-8").splitlines()
            if version not in _VERSION_LINES:
                raise ValueError(f"its first line is {version!r}")
            json.loads(metadata)
            if not sources:
                raise ValueError("it ends before the sources' offsets")
            offsets: dict[TopicPartition, int] = {}
            for line in sources:
                offsets |= _kafka_offsets(line)
            return offsets
        except (OSError, ValueError, TypeError) as error:
            raise _unreadable(file, error) from error


def _unreadable(file: Path, error: Exception) -> CheckpointMisfit:
    return CheckpointMisfit(
        f"The checkpoint file {file} cannot be read ({type(error).__name__}: {error}). "
        "`fraudstream recover` goes on without it."
    )


def _kafka_offsets(line: str) -> dict[TopicPartition, int]:
    """The offsets of one source's line; none where it is not Kafka's."""
    if line in ("-", ""):
        return {}
    offsets: Any = json.loads(line)
    if not isinstance(offsets, dict) or not all(isinstance(partitions, dict) for partitions in offsets.values()):
        return {}
    return parsed_offsets(offsets)


def _batches(folder: Path) -> Iterator[int]:
    """The numbers of the batches that have a file in the folder. Raises :class:`CheckpointMisfit`."""
    try:
        yield from (int(entry.name) for entry in folder.iterdir() if entry.name.isdecimal())
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unreadable(folder, error) from error
