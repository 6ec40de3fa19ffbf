"""No shell block of README and tutorials is left without a test that runs it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests import shell_blocks

pytestmark = pytest.mark.timeless


def needs_run_by(file: Path) -> set[str]:
    """The needs whose blocks a module's tests are parametrised with."""
    needs: set[str] = set()
    for call in (node for node in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(node, ast.Call)):
        if ast.unparse(call.func) == "pytest.mark.parametrize" and isinstance(call.args[1], ast.Call):
            blocks = call.args[1]
            if ast.unparse(blocks.func) == "blocks_that_need":
                needs |= {ast.literal_eval(argument) for argument in blocks.args}
    return needs


def test_a_test_runs_every_block(project_root: Path) -> None:
    run_by = {need: file for file in set(shell_blocks.RUN_BY.values()) for need in needs_run_by(project_root / file)}
    assert run_by == shell_blocks.RUN_BY
    blocks = shell_blocks.shell_blocks()
    assert {block.page for block in blocks} >= {"README.md", "docs/tutorials/first-demo.md"}
    run = [block for need in run_by for block in shell_blocks.blocks_that_need(need)]
    assert len(run) == len(blocks) > 10
    assert set(run) == set(blocks)


def page(folder: Path, text: str) -> Path:
    (folder / "README.md").write_text(text, "utf-8")
    return folder


def test_blocks_are_read_with_their_needs_and_without_what_they_print(tmp_path: Path) -> None:
    text = "a\n```sh\none\n```\n<!-- needs: docker -->\n```console\n$ two\noutput\n```\n"
    text += "```text\n┌\n```\n```bash\nthree\n```\n"
    blocks = shell_blocks.shell_blocks(page(tmp_path, text))
    assert [(block.line, block.needs, block.text) for block in blocks] == [
        (2, "", "one\n"),
        (6, "docker", "two\n"),
        (13, "", "three\n"),
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [("```\nls\n```\n", "README.md:1: the block has no language"), ("<!-- needs: gpu -->\n```sh\nls\n```\n", "'gpu'")],
)
def test_a_block_that_no_test_would_run_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        shell_blocks.shell_blocks(page(tmp_path, text))
