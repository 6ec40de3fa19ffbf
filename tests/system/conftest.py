"""The command line as a user has it, on a data folder and ports of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fraudstream.core.configuration.settings import Settings
from fraudstream.runtime.supervise.preflight import free_port
from fraudstream.runtime.supervise.state import PartState, read_state
from tests.missing import skip_without

PORTS = ("kafka", "kafka_controller", "mongo", "mlflow", "scoring", "dashboard")


@dataclass
class Fraudstream:
    """Runs ``fraudstream`` commands against one data folder."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        prefix = "FRAUDSTREAM_"
        return Settings(**{name.removeprefix(prefix).lower(): value for name, value in self.variables.items()})

    def start(self, *words: str, **options: Any) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "fraudstream.runtime", *words]
        return subprocess.Popen(command, cwd=self.folder, env={**os.environ, **self.variables}, **options)

    def run(self, *words: str, status: int = 0, seconds: float = 600) -> str:
        process = self.start(*words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, err = process.communicate(timeout=seconds)
        errors = err.decode("utf-8", "replace")
        assert process.returncode == status, f"fraudstream {' '.join(words)}: {process.returncode}\n{errors[-3000:]}"
        return out.decode() if status == 0 else errors

    def json(self, *words: str, status: int = 0) -> Any:
        return json.loads(self.run(*words, "--json", status=status))

    def parts(self) -> dict[str, PartState]:
        """The parts as their supervisor sees them."""
        state = read_state(self.settings.data_dir)
        return dict(state.parts) if state else {}

    def pids_ready(self) -> dict[str, int]:
        """The process ids of the parts that are ready."""
        return {name: part.pid for name, part in self.parts().items() if part.state == "ready" and part.pid}

    def pids(self) -> dict[str, int | None]:
        return {name: part.pid for name, part in self.parts().items()}


def new_fraudstream(folder: Path) -> Fraudstream:
    variables = {f"FRAUDSTREAM_{name.upper()}_PORT": str(free_port()) for name in PORTS}
    return Fraudstream(folder, variables | {"FRAUDSTREAM_DATA_DIR": str(folder / "data")})


def await_condition(condition: Callable[[], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"not so within {seconds} s"
        time.sleep(0.2)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Fraudstream, dict[str, Any]]]:
    """A data folder after ``demo --events 20000 --rate 0 --exit``, and the summary that it printed."""
    fraudstream = new_fraudstream(tmp_path_factory.mktemp("system"))
    summary = fraudstream.json("demo", "--events", "20000", "--rate", "0", "--exit")
    yield fraudstream, summary
    fraudstream.run("down")


@pytest.fixture(scope="session")
def stack(demo: tuple[Fraudstream, dict[str, Any]]) -> Fraudstream:
    """The same data folder with all parts running."""
    fraudstream, _ = demo
    fraudstream.run("up", "-d")
    return fraudstream


@pytest.fixture(scope="session")
def installed(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an environment's commands, with the wheel and what it needs, at the locked versions."""
    uv = shutil.which("uv")
    if uv is None:
        skip_without("uv", "https://docs.astral.sh/uv/")
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
