"""Folders that a user has chosen: whether something is there, and whether it can be written to."""

from __future__ import annotations

from pathlib import Path

from fraudstream.core.configuration.settings import ENV_PREFIX
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.process import places


def exists(path: Path) -> bool:
    """Whether something is there that this user can see."""
    try:
        return path.exists()
    except OSError:  # where a folder above it cannot be entered
        return False


def nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    whole = folder.absolute()
    return next(place for place in (whole, *whole.parents) if exists(place))


def writable(folder: Path) -> bool:
    """Whether files can be made there, once the folder itself is made where it is missing."""
    return places.writable(nearest(folder))


def require_writable(folder: Path) -> None:
    """Raise :class:`ConfigurationError` for a folder of the data that cannot be written to."""
    if not writable(folder):
        existing = nearest(folder)
        above = "" if existing == folder.absolute() else f": nothing can be made in {existing}"
        raise unusable(folder, f"cannot be written to{above}")


def make(folder: Path) -> None:
    """Make a folder of the data, unless it is there. Raises :class:`ConfigurationError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unusable(folder, f"cannot be made ({error.strerror or error})") from error


def unusable(place: Path, problem: str) -> ConfigurationError:
    """What to say of a place in the data folder that cannot be used."""
    return ConfigurationError(
        f"{place} {problem}. Let this user write there, or set {ENV_PREFIX}DATA_DIR to another folder."
    )
