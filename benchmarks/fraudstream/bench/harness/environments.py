"""The workers' own Python environments: uv installs them from pinned requirements into the user's cache."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from fraudstream.core.errors import FraudstreamError
from fraudstream.runtime.parts.artifacts import cache_dir

FOLDER = Path(__file__).parents[1] / "workers"
WORKERS = ("bare", "quix", "bytewax", "faust")

_MAKE_SECONDS = 900
# Bytewax has no wheels for a later Python.
_LATEST_PYTHON = (3, 12)


def requirements(name: str) -> Path:
    """The pinned requirements of an environment."""
    return FOLDER / f"requirements-{name}.txt"


def pinned(name: str) -> dict[str, str]:
    """Package → version, as an environment's requirements pin them."""
    text = requirements(name).read_text("utf-8")
    return {match[1]: match[2] for match in re.finditer(r"^([\w.-]+)(?:\[[^\]]*\])?==([^\s;]+)", text, re.MULTILINE)}


def python_of(name: str) -> Path:
    """The environment's Python; the first call installs it. Raises :class:`FraudstreamError` where that fails."""
    content = requirements(name).read_bytes() + str(_python()).encode()
    folder = cache_dir() / "bench" / f"{name}-{hashlib.sha256(content).hexdigest()[:12]}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if python.exists():
        return python
    uv = shutil.which("uv")
    if uv is None:
        raise FraudstreamError(
            f"The workers of `{name}` run in an environment of their own, which uv makes, and there is no uv on the "
            "PATH. Install it (https://docs.astral.sh/uv/)."
        )
    partial = folder.with_name(f"{folder.name}.{os.getpid()}")
    inside = partial / python.relative_to(folder)
    try:
        # Relocatable: the folder gets its name when it is complete.
        _run(uv, "venv", "--quiet", "--relocatable", "--python", _python(), str(partial))
        _run(uv, "pip", "install", "--quiet", "--python", str(inside), "-r", str(requirements(name)))
        if not python.exists():
            partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return python


def _python() -> str:
    latest = ".".join(map(str, _LATEST_PYTHON))
    return latest if sys.version_info[:2] > _LATEST_PYTHON else f"{sys.version_info[0]}.{sys.version_info[1]}"


def _run(*command: str) -> None:
    completed = subprocess.run(command, capture_output=True, text=True, timeout=_MAKE_SECONDS, check=False)
    if completed.returncode:
        lines = completed.stderr.strip().splitlines()
        raise FraudstreamError(
            f"`{' '.join(command[1:3])}` for the benchmarks failed: {lines[-1] if lines else completed.returncode}. "
            "It needs the package index once; later runs use the cache."
        )
