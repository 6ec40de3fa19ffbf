"""The parity table is the one that the markers give, and its reader reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs.makers import parity

pytestmark = pytest.mark.timeless


def test_every_profile_has_tests_behind_it_and_the_core_is_shown_everywhere(project_root: Path) -> None:
    found = parity.shown(project_root / parity.TESTS)
    for profile in parity.PROFILES:
        assert sum(profile in one.profiles for one in found) >= 3, profile
    chain = {profile for one in found if one.feature.startswith("every event is scored") for profile in one.profiles}
    assert chain >= {"local", "compose", "rehearsal"}


def test_markers_are_read_and_others_are_not(tmp_path: Path) -> None:
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "test_one.py").write_text(
        '@pytest.mark.parity("sorting", "local", "azure")\ndef test_a(): ...\n'
        "@pytest.mark.stack\ndef test_b(): ...\n"
        '@pytest.mark.stack\n@pytest.mark.parity("sorting", "compose")\nclass TestC: ...\n'
    )
    found = parity.shown(folder)
    assert [(one.name, one.profiles) for one in found] == [("test_a", ("local", "azure")), ("TestC", ("compose",))]
    text = parity.page(found)
    assert "| sorting | ✓ | ✓ |  | ✓ |" in text
    assert "  - compose: `tests/test_one.py::TestC`" in text
    assert parity.made(tmp_path) == {tmp_path / "docs" / "reference" / "parity.md": text}


def test_a_profile_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "test_one.py").write_text('@pytest.mark.parity("sorting", "cloud")\ndef test_a(): ...\n')
    with pytest.raises(ValueError, match="cloud"):
        parity.shown(tmp_path)
