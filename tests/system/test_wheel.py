"""A wheel in an environment of its own, away from a clone, does what the tutorials say, block by block."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.system.conftest import new_fraudstream

pytestmark = [pytest.mark.system, pytest.mark.timeout(900)]

BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def shell_blocks(page: Path) -> list[str]:
    return BLOCK.findall(page.read_text("utf-8"))


@pytest.fixture(scope="module")
def installed(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an environment's commands, with the wheel and what it needs, at the locked versions."""
    uv = shutil.which("uv")
    if uv is None:
        pytest.skip("uv, which builds the wheel, is not installed: https://docs.astral.sh/uv/")
    folder = tmp_path_factory.mktemp("wheel")

    def run(*words: str) -> None:
        done = subprocess.run([uv, *words], cwd=project_root, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stderr[-3000:]

    run("build", "--wheel", "--quiet", "--out-dir", str(folder))
    (wheel,) = folder.glob("*.whl")
    locked = folder / "locked.txt"
    run(
        "export", "--frozen", "--quiet", "--no-dev", "--no-emit-project", "--extra", "all", "--output-file", str(locked)
    )
    python = str(folder / "environment" / "bin" / "python")
    run("venv", "--quiet", str(folder / "environment"))
    run("pip", "install", "--quiet", "--no-deps", "--python", python, "--requirement", str(locked))
    run("pip", "install", "--quiet", "--no-deps", "--python", python, str(wheel))
    return folder / "environment" / "bin"


@pytest.mark.parametrize("page", ["docs/tutorials/first-demo.md"])
def test_a_tutorial_does_what_it_says(page: str, project_root: Path, installed: Path, tmp_path: Path) -> None:
    blocks = shell_blocks(project_root / page)
    assert len(blocks) > 3
    variables = {**os.environ, **new_fraudstream(tmp_path).variables, "FRAUDSTREAM_DATA_DIR": ".fraudstream"}
    variables["PATH"] = f"{installed}{os.pathsep}{os.environ['PATH']}"

    def shell(block: str) -> subprocess.CompletedProcess[str]:
        command = ["bash", "-euo", "pipefail", "-c", block]
        return subprocess.run(
            command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=600, check=False
        )

    try:
        for block in blocks:
            done = shell(block)
            assert done.returncode == 0, f"{block}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
        assert not (tmp_path / ".fraudstream").exists()
    finally:
        shell("fraudstream down")


def test_a_command_of_a_clone_says_so(installed: Path, tmp_path: Path) -> None:
    words = [installed / "fraudstream", "bench", "latency"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "in a clone" in done.stderr
