"""The module map: every module of the product, and the first line of its docstring."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from docs.makers.files import table

PAGE = Path("docs/reference/modules.md")
ROOTS = ("services", "generator", "ml", "dashboards", "benchmarks")
_NOTE = "<!-- Made from docstrings by `python -m docs.makers --write`; change it there. -->"


def generated(project: Path) -> dict[Path, str]:
    """The page as it should be. Raises ``ValueError`` for a module without a docstring."""
    rooms = [room for root in ROOTS for room in _rooms(project / root / "fraudstream", project)]
    sections = "\n\n".join(f"## `{name}`\n\n{purpose}\n\n{rows}".rstrip() for name, purpose, rows in rooms)
    return {
        project / PAGE: f"""{_NOTE}

# Modules

Every module by its folder. The allowed imports are in [architecture](../explanation/architecture.md#layout).

{sections}
"""
    }


def _rooms(root: Path, project: Path) -> Iterator[tuple[str, str, str]]:
    for folder in sorted({file.parent for file in root.rglob("*.py")}):
        modules = sorted(file for file in folder.glob("*.py") if file.name not in ("__init__.py", "__main__.py"))
        rows = [(f"`{file.name}`", first_line(file)) for file in modules]
        package = folder / "__init__.py"
        purpose = first_line(package) if package.is_file() else ""
        name = folder.relative_to(project).as_posix()
        yield name, purpose, table(("module", "holds"), rows) if rows else ""


def first_line(file: Path) -> str:
    """The first line of a module's docstring, as Markdown. Raises ``ValueError`` for a module without one."""
    text = ast.get_docstring(ast.parse(file.read_text("utf-8")))
    if not text:
        raise ValueError(f"{file} has no docstring")
    return text.partition("\n")[0].replace("``", "`")
