"""Notebooks are committed whole: valid, executed from top to bottom, and without anything of one machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.missing import import_or_skip

pytestmark = pytest.mark.timeless

NOTEBOOKS = sorted((Path(__file__).parents[3] / "docs").rglob("*.ipynb"))
OF_A_MACHINE = re.compile(
    r"(?<![\w:/.])/(home|root|Users|tmp|var|opt|work|srv|mnt|usr)/|[A-Z]:\\\\|(127\.0\.0\.1|localhost):\d"
    r"|Bearer [\w-]|\w+://[^/\s]*:[^/\s]*@|AccountKey=|SharedAccessKey=|PRIVATE KEY"
)


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_is_committed_as_it_ran(file: Path) -> None:
    nbformat = import_or_skip("nbformat", "Jupyter", "uv sync --group docs")
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    kinds = [output.output_type for cell in code for output in cell.outputs]
    assert "execute_result" in kinds
    assert "error" not in kinds
    assert not any(output.get("name") == "stderr" for cell in code for output in cell.outputs)


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_names_no_path_of_a_machine_and_no_key(file: Path) -> None:
    nbformat = import_or_skip("nbformat", "Jupyter", "uv sync --group docs")
    notebook = nbformat.read(file, as_version=4)
    texts = [cell.source for cell in notebook.cells]
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            data = {kind: text for kind, text in output.get("data", {}).items() if not kind.startswith("image/")}
            texts += [str(output.get("text", "")), *map(str, data.values())]
    assert not [match[0] for text in texts if (match := OF_A_MACHINE.search(text))]


@pytest.mark.parametrize(
    "text", ["/home/ann/x", "C:\\\\Users", "mongodb://a:b@host/", "Bearer abc", "http://127.0.0.1:8000", "AccountKey=x"]
)
def test_what_is_of_a_machine_is_recognised(text: str) -> None:
    assert OF_A_MACHINE.search(text)


def test_there_is_a_notebook() -> None:
    assert [file.name for file in NOTEBOOKS] == ["decisions.ipynb"]
