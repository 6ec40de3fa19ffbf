"""Where the projects are that the distribution brings."""

from __future__ import annotations

from pathlib import Path


def bundled_folder() -> Path:
    """The folder of the bundled projects: among the packages of a wheel, at the top of a clone."""
    packages = Path(__file__).parents[2]
    installed = packages / "projects"
    return installed if installed.is_dir() else packages.parents[1] / "projects"


def bundled_names() -> list[str]:
    """The names of the bundled projects, sorted."""
    return sorted(file.parent.name for file in bundled_folder().glob("*/fraudstream.toml"))
