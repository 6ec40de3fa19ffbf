"""Where a replay stopped: a small file in the data folder for each file of transactions and project."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import orjson

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.process import folders
from fraudstream.generator.replay.entries import Position

# An acknowledgement is noted at the latest after so long: what a killed replay sent since then is sent again.
_SAVE_SECONDS = 0.5


class Bookmark:
    """The position of a file's replay; ``folder`` is the project's."""

    def __init__(self, settings: Settings, folder: Path, file: Path) -> None:
        name = hashlib.sha256(f"{folder.resolve()}\0{file.resolve()}".encode()).hexdigest()[:16]
        # Among what `reset` deletes: the topics go with it, and a replay then begins anew.
        self._path = settings.data_dir.absolute() / "run" / f"replay-{name}.json"
        self._file = str(file.resolve())
        self._saved: Position | None = None
        self._saved_at = 0.0

    def read(self) -> Position | None:
        """The position; None where nothing of the file has been replayed.

        Raises :class:`ConfigurationError` where the bookmark is no position.
        """
        try:
            kept = orjson.loads(self._path.read_bytes())
            position = Position(*(int(kept[name]) for name in Position._fields))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ConfigurationError(
                f"{self._path} does not say where the replay of {self._file} stopped ({error}). "
                "Give --restart to begin with the file's first live row."
            ) from error
        return position if 0 <= position.label <= position.event else None

    def note(self, position: Position) -> None:
        """Keep the position, unless one has been kept just now."""
        if time.monotonic() - self._saved_at >= _SAVE_SECONDS:
            self.save(position)

    def save(self, position: Position) -> None:
        """Keep the position. Raises :class:`ConfigurationError` where it cannot be."""
        if position == self._saved:
            return
        folders.make(self._path.parent)
        partial = self._path.with_suffix(f".{os.getpid()}.part")
        try:
            partial.write_bytes(orjson.dumps({"file": self._file, **position._asdict()}))
            partial.replace(self._path)
        except OSError as error:
            raise folders.unusable(self._path, f"cannot be written ({error.strerror})") from error
        self._saved, self._saved_at = position, time.monotonic()
