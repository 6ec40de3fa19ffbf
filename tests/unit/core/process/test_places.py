"""Home, cache and temporary folder: the given ones where they can be used, else some below the data folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from fraudstream.core.process import environment, places
from fraudstream.runtime.parts import artifacts

pytestmark = pytest.mark.timeless

CACHE = places.CACHE_DIR_VARIABLE
TOO_LONG = f"/{'x' * 300}"


def test_a_home_or_temporary_folder_that_cannot_be_used_is_replaced_below_the_data_folder(tmp_path: Path) -> None:
    given = {"FRAUDSTREAM_DATA_DIR": str(tmp_path)}
    assert environment.made(given | {"HOME": str(tmp_path)})["HOME"] == str(tmp_path)
    for home in ("/proc", "/nowhere/home", "relative", "?", TOO_LONG):
        variables = environment.made(given | {"HOME": home})
        assert variables["HOME"] == str(tmp_path / "home")
        assert Path(variables["HOME"]).is_dir()
    usable = tmp_path / "t"
    usable.mkdir()
    assert environment.made(given | {"TMPDIR": str(usable)})["TMPDIR"] == str(usable)
    for temporary in ("/nowhere/tmp", TOO_LONG):
        assert Path(environment.made(given | {"TMPDIR": temporary})["TMPDIR"]).is_dir()


def test_without_any_usable_temporary_folder_there_is_one_below_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "temporary_problem", lambda _: "is mounted noexec")
    variables = environment.made({"FRAUDSTREAM_DATA_DIR": str(tmp_path), "TMPDIR": "/tmp"})  # noqa: S108 - refused
    assert variables["TMPDIR"] == str(tmp_path / "tmp")
    assert Path(variables["TMPDIR"]).is_dir()


def test_a_user_without_an_entry_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "known_user", lambda: None)
    assert environment.made({})["USER"] == "fraudstream"
    assert environment.made({"USER": "someone"})["LOGNAME"] == "someone"


@pytest.fixture
def closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that this user may not enter, root included."""
    folder = tmp_path / "closed"
    folder.mkdir()
    stat = os.stat

    def refused(path: Any, *rest: Any, **options: Any) -> os.stat_result:
        if not isinstance(path, int) and os.fspath(path).startswith(f"{folder}{os.sep}"):
            raise PermissionError(13, "Permission denied", path)
        return stat(path, *rest, **options)

    monkeypatch.setattr(os, "stat", refused)
    monkeypatch.setattr(places, "writable", lambda place: place != folder and folder not in place.parents)
    return folder


def test_a_folder_that_this_user_may_not_enter_is_replaced(
    closed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(closed))
    given = {"FRAUDSTREAM_DATA_DIR": str(tmp_path), "TMPDIR": str(closed / "tmp"), "PYTHONPATH": str(closed / "lib")}
    variables = environment.made(given | {"HOME": str(closed)})
    assert variables["HOME"] == str(tmp_path / "home")
    assert variables[CACHE] == str(tmp_path / "cache")
    assert variables["TMPDIR"] != str(closed / "tmp")
    assert "PYTHONPATH" not in variables


def test_parts_with_another_home_use_the_cache_of_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (CACHE, "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FRAUDSTREAM_DATA_DIR", str(tmp_path))
    for home in ("/proc", "relative", "/nowhere/home"):
        monkeypatch.setenv("HOME", home)
        assert environment.made(os.environ)[CACHE] == str(artifacts.cache_dir())
    monkeypatch.setenv("HOME", "/proc")
    assert environment.made(os.environ)[CACHE] == str(tmp_path / "cache")

    # A home that cannot be written to may have a cache that can, mounted there.
    home = tmp_path / "mounted"
    monkeypatch.setenv("HOME", str(home))
    Path(platformdirs.user_cache_dir("fraudstream", appauthor=False)).mkdir(parents=True)
    monkeypatch.setattr(places, "writable", lambda place: place != home)
    variables = environment.made(os.environ)
    assert variables["HOME"] == str(tmp_path / "home")
    assert variables[CACHE] == str(artifacts.cache_dir())
    assert home in Path(variables[CACHE]).parents

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert environment.made(os.environ)[CACHE] == str(artifacts.cache_dir()) == str(tmp_path / "xdg" / "fraudstream")


def test_without_any_home_the_cache_is_below_the_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: str, **__: bool) -> str:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr(platformdirs, "user_cache_dir", unknown)
    monkeypatch.setattr(places, "_registered_home", lambda: "")
    assert environment.made({"FRAUDSTREAM_DATA_DIR": str(tmp_path)})[CACHE] == str(tmp_path / "cache")


def test_a_cache_that_is_given_is_the_same_in_every_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = {"FRAUDSTREAM_DATA_DIR": str(tmp_path), "HOME": "/proc"}
    assert environment.made(given | {CACHE: "cache here"})[CACHE] == str(tmp_path / "cache here")
    assert environment.made(given | {CACHE: "/opt/cache"})[CACHE] == "/opt/cache"
