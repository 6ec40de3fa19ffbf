"""One data folder holds one project's data."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from fraudstream.core.errors import RuntimePartError
from fraudstream.core.project import places
from fraudstream.core.project.project import Project, bundled, read_project
from fraudstream.runtime.supervise import data_folder, project_mark
from fraudstream.runtime.supervise.project_mark import claim


def project(folder: Path, **changes: str) -> Project:
    """A copy of payments with texts of its definition changed."""
    shutil.copytree(places.bundled_folder() / "payments", folder)
    file = folder / "fraudstream.toml"
    text = file.read_text("utf-8")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    file.write_text(text, "utf-8")
    return read_project(folder)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data folder in which a supervisor and a broker have worked."""
    folder = tmp_path / "data"
    (folder / "run").mkdir(parents=True)
    (folder / data_folder.LOCK).touch()
    (folder / "kafka").mkdir()
    return folder


def test_another_project_is_refused_with_what_to_do(data_dir: Path, tmp_path: Path) -> None:
    cards = project(tmp_path / "cards")
    with pytest.raises(RuntimePartError) as refusal:
        claim(data_dir, cards)
    for part in ("'payments'", "'cards'", str(tmp_path / "cards"), "FRAUDSTREAM_DATA_DIR", "`fraudstream reset`"):
        assert part in str(refusal.value)


def test_data_without_a_mark_are_payments(data_dir: Path) -> None:
    assert claim(data_dir, bundled("payments")) == []
    assert claim(data_dir, bundled("payments")) == []


def test_a_mark_without_data_binds_nobody(tmp_path: Path, data_dir: Path) -> None:
    claim(data_dir, bundled("payments"))
    (data_dir / "kafka").rmdir()
    claim(data_dir, cards := project(tmp_path / "cards"))
    (data_dir / "kafka").mkdir()
    claim(data_dir, cards)
    with pytest.raises(RuntimePartError, match="'cards'"):
        claim(data_dir, bundled("payments"))


def test_a_fresh_folder_is_made(tmp_path: Path) -> None:
    assert claim(tmp_path / "fresh", bundled("payments")) == []
    assert json.loads((tmp_path / "fresh/run/project.json").read_text("utf-8"))["name"] == "payments"


def test_the_same_project_with_other_roles_is_refused_by_role(data_dir: Path, tmp_path: Path) -> None:
    changed = project(tmp_path / "payments", **{'    "foreign_transaction",\n]': "]"})
    with pytest.raises(RuntimePartError, match="'payments' with another model inputs than it has now"):
        claim(data_dir, changed)


def test_what_people_read_may_change_and_a_new_dimension_is_told(data_dir: Path, tmp_path: Path) -> None:
    changed = project(
        tmp_path / "payments", **{'title = "Payments"': 'title = "P"', '"month", "cat': '"month", "children", "cat'}
    )
    assert claim(data_dir, changed) == ["children"]
    assert claim(data_dir, changed) == []


def test_a_broken_mark_is_told(data_dir: Path) -> None:
    (data_dir / "run/project.json").write_text("{")
    with pytest.raises(RuntimePartError, match=r"project\.json, which names the project"):
        claim(data_dir, bundled("payments"))


def test_reset_deletes_the_mark(data_dir: Path) -> None:
    claim(data_dir, bundled("payments"))
    assert data_folder.delete(data_dir) == []
    assert project_mark.claim(data_dir, bundled("payments")) == []
