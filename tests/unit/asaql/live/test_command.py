"""``fraudstream query run --live`` up to where it asks Kafka, and where its checkpoint is."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fraudstream.asaql.cli import app
from fraudstream.asaql.commands.live import checkpoint_folder
from fraudstream.asaql.project_files.folder import read_project
from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import ConfigurationError

pytestmark = pytest.mark.timeless


@pytest.fixture
def query(tmp_path: Path) -> Path:
    file = tmp_path / "q.asaql"
    file.write_text("SELECT a INTO o FROM i TIMESTAMP BY t", "utf-8")
    return file


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--live", "--output-dir", "x"], "With --live give --output NAME=TOPIC"),
        (["--output", "o=x"], "Add --live"),
        (["--from", "latest"], "Add --live"),
        (["--live", "--input", "j=x"], "the query has no j; it has i"),
    ],
)
def test_options_that_do_not_belong_together_are_refused(query: Path, words: list[str], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        CliRunner().invoke(app, ["run", str(query), *words], catch_exceptions=False, standalone_mode=False)


def test_each_querys_file_has_a_checkpoint_of_its_own(query: Path, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    other = tmp_path / "other" / "q.asaql"
    other.parent.mkdir()
    other.write_bytes(query.read_bytes())
    folder = checkpoint_folder(settings, read_project(query))
    assert folder.parent == tmp_path / "data" / "queries"
    assert folder == checkpoint_folder(settings, read_project(query))
    assert folder != checkpoint_folder(settings, read_project(other))
