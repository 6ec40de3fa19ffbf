"""Parts that wait while a demo has better use for the processors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fraudstream.runtime.supervise.data_folder import HOLDER
from fraudstream.runtime.supervise.holding import held_back, is_held_back
from fraudstream.runtime.supervise.state import run_dir


def test_parts_are_held_back_until_the_block_ends(tmp_path: Path) -> None:
    assert not is_held_back(tmp_path)
    with held_back(tmp_path):
        assert is_held_back(tmp_path)
    assert not is_held_back(tmp_path)


def test_a_block_that_raises_holds_nothing_back(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), held_back(tmp_path):
        raise KeyboardInterrupt
    assert not is_held_back(tmp_path)


def test_a_process_that_was_killed_holds_nothing_back(tmp_path: Path) -> None:
    text = "import os, sys, pathlib; from fraudstream.runtime.supervise.holding import held_back\n"
    text += "with held_back(pathlib.Path(sys.argv[1])): os._exit(1)"
    assert subprocess.run([sys.executable, "-c", text, str(tmp_path)], check=False).returncode == 1
    assert (run_dir(tmp_path) / HOLDER).exists()
    assert not is_held_back(tmp_path)


@pytest.mark.parametrize("content", ["", "{", "[1]", json.dumps({"pid": 1})])
def test_a_file_that_cannot_be_read_holds_nothing_back(tmp_path: Path, content: str) -> None:
    run_dir(tmp_path).mkdir()
    (run_dir(tmp_path) / HOLDER).write_text(content)
    assert not is_held_back(tmp_path)
