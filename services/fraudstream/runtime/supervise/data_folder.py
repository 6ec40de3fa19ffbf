"""What of the data folder is ours: all that ``reset`` may delete, whatever folder FRAUDSTREAM_DATA_DIR names."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from fraudstream.core.process import folders, places

LOCK = Path("run") / "lock"
PROJECT_MARK = "project.json"
HOLDER = "holder.json"
_OTHERS = Path("run") / "others"

# A project's data.
_DATA = ("kafka", "documentstore", "documents", "mlflow", "checkpoints", "champion", "spark")
# Made and filled by our parts and commands alone, unless they were there before.
_WHOLE = (*_DATA, "devices", "edges", "ingest", "certificates", "queries")
# Ours where they have the mark of whoever made them: others use these names, too.
_MARKED = ("home", "tmp")
# Ours are certain names in them. The last one tells that there are data of ours, also after a reset that was cut short.
_PATTERNS = {
    "logs": ("*.log", "*.log.[0-9]"),
    "cache": ("maven", "java", "jvm", "bench"),
    "run": (
        "state.*",
        "*.ready",
        "*.ready.failing",
        "*.ready.running",
        "replay-*",
        PROJECT_MARK,
        HOLDER,
        "others",
        "lock",
    ),
}


def is_ours(folder: Path) -> bool:
    """Whether a supervisor has worked there. Raises ``OSError``."""
    return (folder / LOCK).is_file()


def holds_data(folder: Path) -> bool:
    """Whether a supervisor's parts have left data there."""
    others = _others(folder)
    return (folder / LOCK).is_file() and any((folder / name).is_dir() for name in _DATA if name not in others)


def note_others(folder: Path) -> None:
    """Remember, the first time that a supervisor works there, what has a name of ours and was there before."""
    names = [name for name in _WHOLE if os.path.lexists(folder / name)]
    if names:
        (folder / _OTHERS).write_text("\n".join(names), "utf-8")


def delete(folder: Path) -> list[str]:
    """Delete what is ours, and the folder itself where it is empty then and may go; returns the names of what stays.

    Raises :class:`ConfigurationError` for what cannot be deleted.
    """
    try:
        others = _others(folder)
        for name in _WHOLE:
            if name not in others:
                _remove(folder / name)
        for name in _MARKED:
            if (folder / name / places.MARK).is_file():
                _remove(folder / name)
        for name, patterns in _PATTERNS.items():
            for pattern in patterns:
                for path in sorted((folder / name).glob(pattern)):
                    _remove(path)
            _remove_empty(folder / name)
        stays = sorted(name for name in os.listdir(folder) if not _is_emptied(folder / name))  # noqa: PTH208
    except OSError as error:
        place = Path(error.filename or folder)
        raise folders.unusable(place, f"cannot be deleted ({error.strerror})") from error
    if not stays:
        _remove_empty(folder)
    return stays


def _others(folder: Path) -> list[str]:
    return (folder / _OTHERS).read_text("utf-8").splitlines() if (folder / _OTHERS).is_file() else []


def _remove(path: Path) -> None:
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    for held in list(path.iterdir()):
        if held.is_dir() and not held.is_symlink():
            shutil.rmtree(held)
        else:
            held.unlink(missing_ok=True)
    _remove_empty(path)


def _remove_empty(folder: Path) -> None:
    """Remove a folder, unless something is in it, or is mounted on it, or the one above it may not be changed."""
    try:
        folder.rmdir()
    except OSError as error:
        if error.errno not in (
            *(errno.ENOENT, errno.ENOTDIR, errno.ENOTEMPTY, errno.EEXIST),
            *(errno.EBUSY, errno.EACCES, errno.EPERM, errno.EROFS),
        ):
            raise


def _is_emptied(path: Path) -> bool:
    """Whether it is a folder of ours that nothing is in any more."""
    known = (*_WHOLE, *_MARKED, *_PATTERNS)
    return path.name in known and path.is_dir() and not path.is_symlink() and not any(path.iterdir())
