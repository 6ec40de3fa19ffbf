"""Whose user, home, cache and temporary folder a process of ours has: the given ones, else some below the data folder.

Folders are asked for with ``os.path``: Python 3.11's ``Path.is_dir`` and ``Path.exists`` raise where this user may not
look, or where a name is too long, and both are reasons to take another folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

CACHE_DIR_VARIABLE = "FRAUDSTREAM_CACHE_DIR"

# In a home or temporary folder that was made here: it may be deleted with the data.
MARK = ".made-by-fraudstream"

_UNKNOWN_USER = "fraudstream"
_LEAST_TEMPORARY_BYTES = 64 * 1024 * 1024


def made(passed: Mapping[str, str], folder: Path | None) -> dict[str, str]:
    """User, home, temporary folder, and the cache where another home would change it; ``folder``: the data's."""
    user = known_user() or passed.get("USER") or passed.get("LOGNAME") or _UNKNOWN_USER
    places = {"USER": user, "LOGNAME": user}
    home = passed.get("HOME") or _registered_home()
    if home.startswith(os.sep) and writable(Path(home)):
        places["HOME"] = home
    elif folder is not None:
        places["HOME"] = str(_made_folder(folder / "home"))
        # What a command has fetched, its parts have to find, which have another home than the command.
        places[CACHE_DIR_VARIABLE] = str(_cache_of_this_process(folder))
    if cache := passed.get(CACHE_DIR_VARIABLE):
        # Some parts work in a folder of their own.
        places[CACHE_DIR_VARIABLE] = str(Path(cache).absolute())
    given = [Path(passed[name]) for name in ("TMPDIR", "TEMP", "TMP") if passed.get(name)]
    usable = (place for place in (*given, Path("/tmp"), Path("/var/tmp")) if not temporary_problem(place))  # noqa: S108
    if (temporary := next(usable, None)) is not None:
        places["TMPDIR"] = str(temporary.absolute())
    elif folder is not None:
        places["TMPDIR"] = str(_made_folder(folder / "tmp"))
    return places


def known_user() -> str | None:
    """The name of this process's user; ``None`` where the system knows no user of that number."""
    if sys.platform == "win32":
        return os.environ.get("USERNAME")
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return None


def temporary_problem(folder: Path) -> str:
    """Why temporary files and libraries cannot be kept in ``folder``; empty if they can."""
    if not os.path.isdir(folder):  # noqa: PTH112
        return "does not exist"
    if not writable(folder):
        return "cannot be written to"
    if hasattr(os, "statvfs") and os.statvfs(folder).f_flag & getattr(os, "ST_NOEXEC", 0):
        return "is mounted noexec"
    if (free := shutil.disk_usage(folder).free) < _LEAST_TEMPORARY_BYTES:
        return f"has {free / 1e6:.0f} MB left"
    return ""


def writable(folder: Path) -> bool:
    """Whether a file can be made there; permissions alone do not tell, for root least of all."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _cache_of_this_process(data_dir: Path) -> Path:
    """The folder that ``runtime.artifacts`` takes here where none is given."""
    # It is installed wherever something keeps a cache, and raises where there is no home at all.
    with contextlib.suppress(ImportError, RuntimeError):
        import platformdirs

        users = Path(platformdirs.user_cache_dir("fraudstream", appauthor=False))
        if users.is_absolute():
            existing = next(place for place in (users, *users.parents) if os.path.exists(place))  # noqa: PTH110
            if existing == users or writable(existing):
                return users
    return data_dir.absolute() / "cache"


def _registered_home() -> str:
    try:
        return str(Path.home())
    except RuntimeError:  # the system knows no user of this number
        return ""


def _made_folder(folder: Path) -> Path:
    # Where it cannot be made, what needs it says so; the rest works without.
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True)
        (folder / MARK).touch()
    return folder.absolute()
