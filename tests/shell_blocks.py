"""The shell blocks of README and tutorials, which tests run as a reader would type them.

A block that not every machine can run says what it needs in a comment right before it: ``<!-- needs: docker -->``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHELLS = ("bash", "console", "sh")
# Which test runs the blocks that need this.
RUN_BY = {
    "": "tests/system/test_shell_blocks.py",
    "apt": "tests/system/test_shell_blocks.py",
    "docker": "tests/compose/test_chain.py",
}

_FENCE = re.compile(
    r"(?:^<!-- needs: (?P<needs>[^\n]*?) -->\n)?^```(?P<language>[^\n]*)\n(?P<text>.*?)^```$", re.M | re.S
)


@dataclass(frozen=True, slots=True)
class ShellBlock:
    """A fenced block: the ``page`` below the project's folder, the ``line`` of its fence, and what it ``needs``."""

    page: str
    line: int
    needs: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def goes_on(self) -> bool:
        """The last command runs until Ctrl-C."""
        return self.text.rstrip().endswith((" demo", " up"))


def pages(root: Path = ROOT) -> list[Path]:
    return [root / "README.md", *sorted((root / "docs" / "tutorials").glob("*.md"))]


def shell_blocks(root: Path = ROOT) -> list[ShellBlock]:
    """The shell blocks of all pages, in the order of the text.

    Raises ``ValueError`` for a block without a language, since it may be a shell's, and for an unknown need.
    """
    return [block for page in pages(root) for block in _blocks(page, page.relative_to(root).as_posix())]


def blocks_that_need(*needs: str) -> list[ShellBlock]:
    return [block for block in shell_blocks() if block.needs in needs]


def _blocks(page: Path, name: str) -> list[ShellBlock]:
    text = page.read_text("utf-8")
    blocks = []
    for fence in _FENCE.finditer(text):
        line = text.count("\n", 0, fence.start("language")) + 1
        language, needs = fence["language"].strip(), fence["needs"] or ""
        if not language:
            raise ValueError(f"{name}:{line}: the block has no language; write bash, or text for what is no program")
        if needs not in RUN_BY:
            raise ValueError(f"{name}:{line}: needs {needs!r}; known are {', '.join(filter(None, RUN_BY))}")
        if language in SHELLS:
            blocks.append(ShellBlock(name, line, needs, _typed(fence["text"], language)))
    return blocks


def _typed(text: str, language: str) -> str:
    """The commands alone: a console block also shows what they print."""
    if language != "console":
        return text
    return "".join(f"{line[2:]}\n" for line in text.splitlines() if line.startswith("$ "))
