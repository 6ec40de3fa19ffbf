"""Where the projects are that the distribution brings, and how a project's file is read."""

from __future__ import annotations

from pathlib import Path

from fraudstream.core.errors import ConfigurationError


def bundled_folder() -> Path:
    """The folder of the bundled projects: among the packages of a wheel, at the top of a clone."""
    packages = Path(__file__).parents[2]
    installed = packages / "projects"
    return installed if installed.is_dir() else packages.parents[1] / "projects"


def bundled_names() -> list[str]:
    """The names of the bundled projects, sorted."""
    return sorted(file.parent.name for file in bundled_folder().glob("*/fraudstream.toml"))


def settled(name_or_folder: str) -> str:
    """A bundled project's name as it is, an existing folder as its absolute path: children work in other folders."""
    if name_or_folder in bundled_names():
        return name_or_folder
    folder = Path(name_or_folder).expanduser()
    return str(folder.resolve()) if folder.is_dir() else name_or_folder


def read_text(file: Path) -> str:
    """A project's file, without a byte order mark. Raises :class:`ConfigurationError`."""
    try:
        return file.read_text("utf-8-sig")
    except OSError as error:
        raise ConfigurationError(
            f"{file} cannot be read ({error.strerror or error}). A project has this file."
        ) from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file} is not UTF-8 text. Save it as UTF-8.") from None
