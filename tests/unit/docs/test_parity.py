"""The parity table is the one that the markers give, and its reader reads them."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs.makers import parity

pytestmark = pytest.mark.timeless


def test_every_profile_has_tests_behind_it_and_the_core_is_shown_everywhere(project_root: Path) -> None:
    tests = parity.shown(project_root / parity.TESTS)
    for profile in parity.PROFILES:
        assert sum(profile in test.profiles for test in tests) >= 3, profile
    chain = {profile for test in tests if test.feature.startswith("every event is scored") for profile in test.profiles}
    assert chain >= {"local", "compose", "rehearsal"}


def test_markers_are_read_and_others_are_not(tmp_path: Path) -> None:
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "test_test.py").write_text(
        '@pytest.mark.parity("sorting", "local", "azure")\ndef test_a(): ...\n'
        "@pytest.mark.stack\ndef test_b(): ...\n"
        '@pytest.mark.stack\n@pytest.mark.parity("sorting", "compose")\nclass TestC: ...\n'
    )
    tests = parity.shown(folder)
    assert [(test.name, test.profiles) for test in tests] == [("test_a", ("local", "azure")), ("TestC", ("compose",))]
    text = parity.page(tests)
    assert "| sorting | ✓ | ✓ |  | ✓ |" in text
    assert "  - compose: `tests/test_test.py::TestC`" in text
    assert parity.generated(tmp_path) == {tmp_path / "docs" / "reference" / "parity.md": text}


def test_an_unknown_profile_is_refused(tmp_path: Path) -> None:
    (tmp_path / "test_test.py").write_text('@pytest.mark.parity("sorting", "cloud")\ndef test_a(): ...\n')
    with pytest.raises(ValueError, match="cloud"):
        parity.shown(tmp_path)
