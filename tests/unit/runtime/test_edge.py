"""A command that goes to another folder before it becomes its process finds the data folder that the user named."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fraudstream.runtime import edge as edge_command
from fraudstream.runtime.parts import devices


@pytest.mark.parametrize(
    "begin", [lambda: edge_command.edge("till", "127.0.0.1", 1, 2), devices.main], ids=["edge", "devices"]
)
def test_a_relative_data_folder_stays_where_it_was_named(
    begin: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    became: list[dict[str, str]] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FRAUDSTREAM_DATA_DIR", "data")
    monkeypatch.setattr(devices, "prepare", lambda place: place.mkdir(parents=True))
    monkeypatch.setattr(devices, "command", lambda *_: ("python",))
    monkeypatch.setattr(os, "execve", lambda _program, _words, variables: became.append(variables))
    begin()
    assert Path.cwd() != tmp_path
    assert [variables["FRAUDSTREAM_DATA_DIR"] for variables in became] == [str(tmp_path / "data")]
