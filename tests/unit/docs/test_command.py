"""One command writes every generated file, and names the stale ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from docs.makers import command, modules


def test_every_generated_file_is_up_to_date(project_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--check", str(project_root)]) == 0, capsys.readouterr().err


def test_stale_and_missing_files_are_named_and_written(
    project_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("docs", "azure"):
        shutil.copytree(project_root / folder, tmp_path / folder)
    for folder in ("tests", *modules.ROOTS):
        (tmp_path / folder).symlink_to(project_root / folder)
    assert command.main(["--check", str(tmp_path)]) == 0
    (tmp_path / "docs" / "reference" / "topics.md").write_text("old")
    (tmp_path / "azure" / "definitions.json").unlink()
    assert command.main(["--check", str(tmp_path)]) == 1
    report = capsys.readouterr().err
    assert "docs/reference/topics.md, azure/definitions.json." in report
    assert "python -m docs.makers --write" in report
    assert command.main(["--write", str(tmp_path)]) == 0
    assert command.main(["--check", str(tmp_path)]) == 0
