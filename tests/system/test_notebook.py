"""The notebook of the tutorials: each cell runs against a system that a user has started."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.system.conftest import Fraudstream

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


def test_every_cell_runs(stack: Fraudstream, project_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in stack.variables.items():
        monkeypatch.setenv(name, value)
    notebook = nbformat.read(project_root / "docs/tutorials/decisions.ipynb", as_version=4)
    # A cell that raises, raises here.
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(stack.folder)}}).execute()
