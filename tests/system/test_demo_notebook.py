"""The notebook of the tutorials: each cell runs against a system that a user has started."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.missing import import_or_skip
from tests.system.conftest import Fraudstream

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


def test_every_cell_runs(request: pytest.FixtureRequest, project_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat, nbclient = (import_or_skip(name, "Jupyter", "uv sync --group docs") for name in ("nbformat", "nbclient"))
    # Started only for a notebook that can be executed.
    stack: Fraudstream = request.getfixturevalue("stack")
    for name, value in stack.variables.items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.read(project_root / "docs/tutorials/decisions.ipynb", as_version=4)
    # A cell that raises, raises here.
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(stack.folder)}}).execute()
