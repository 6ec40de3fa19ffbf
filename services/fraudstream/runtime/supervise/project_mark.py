"""Whose data a data folder holds: a mark of the project beside them, so that no other project's are added to them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fraudstream.core.errors import RuntimePartError
from fraudstream.core.process import folders
from fraudstream.core.project.identity import dimensions, roles
from fraudstream.core.project.project import Project, bundled
from fraudstream.runtime.supervise import data_folder
from fraudstream.runtime.supervise.state import run_dir

# Before there were other projects, no folder had a mark.
_UNMARKED = "payments"


def claim(data_dir: Path, project: Project) -> list[str]:
    """Mark the folder as this project's; returns the dimensions that what it holds has not been counted by.

    Raises :class:`RuntimePartError` where it holds another project's data, :class:`ConfigurationError` where this user
    cannot write there.
    """
    file = run_dir(data_dir) / data_folder.PROJECT_MARK
    mark = _mark(project)
    held = _held(file, data_dir)
    if held is not None and (held["name"], held["roles"]) != (mark["name"], mark["roles"]):
        raise RuntimePartError(_refusal(data_dir, held, mark))
    folders.make(file.parent)
    try:
        file.write_text(json.dumps(mark, indent=1), "utf-8")
    except OSError as error:
        raise folders.unusable(file, f"cannot be written ({error.strerror})") from None
    return [] if held is None else [name for name in mark["dimensions"] if name not in held["dimensions"]]


def _mark(project: Project) -> dict[str, Any]:
    return {
        "name": project.name,
        "folder": str(project.folder),
        "roles": roles(project),
        "dimensions": dimensions(project),
    }


def _held(file: Path, data_dir: Path) -> dict[str, Any] | None:
    """The mark of the data that are there; None without data, whatever an earlier start left."""
    if not data_folder.holds_data(data_dir):
        return None
    try:
        mark: dict[str, Any] = json.loads(file.read_text("utf-8"))
        return {name: mark[name] for name in ("name", "folder", "roles", "dimensions")}
    except FileNotFoundError:
        return _mark(bundled(_UNMARKED))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RuntimePartError(
            f"{file}, which names the project of the data beside it, cannot be read ({error}). Delete it if they are "
            f"those of the project {_UNMARKED!r}, or all of them with `fraudstream reset`."
        ) from None


def _refusal(data_dir: Path, held: Mapping[str, Any], mark: Mapping[str, Any]) -> str:
    if held["name"] == mark["name"]:
        changed = [role for role, value in mark["roles"].items() if held["roles"].get(role) != value]
        what = f"with another {' and another '.join(changed)} than it has now"
    else:
        what = f"in {held['folder']}; FRAUDSTREAM_PROJECT names {mark['name']!r} in {mark['folder']}"
    return (
        f"{data_dir} holds data of the project {held['name']!r} {what}. Set FRAUDSTREAM_DATA_DIR to another folder, or "
        "delete these data with `fraudstream reset`."
    )
