"""Where a run puts its outputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from fraudstream.asaql.running.job import output_files

pytestmark = pytest.mark.timeless

PATHS = [
    "../../etc/passwd",
    "/etc/passwd",
    "..",
    ".",
    "",
    "..\\secret",
    "C:\\secret",
    "a/../../b",
    "~/x",
    "a\x00b",
    "n" * 9_000,
]


@pytest.mark.parametrize("name", PATHS)
def test_an_outputs_name_is_no_path(tmp_path: Path, name: str) -> None:
    (file,) = output_files(tmp_path, [name])
    assert file.resolve().parent == tmp_path.resolve()
    assert file.suffix == ".json"
    file.touch()


def test_outputs_that_would_share_a_file_have_one_each() -> None:
    files = output_files(Path(), ["a/b", "a_b", "A?B", *PATHS])
    assert len({file.name.casefold() for file in files}) == 3 + len(PATHS)
