"""Which code trained a model: a digest of its sources and of the libraries that compute."""

from __future__ import annotations

import hashlib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_SOURCES = Path(__file__).parents[1]
_LIBRARIES = ("numpy", "pandas", "scikit-learn", "xgboost-cpu", "xgboost", "pyspark", "optuna")


def code_fingerprint() -> str:
    """SHA-256 of this package's sources and of the libraries' versions, hexadecimal."""
    digest = hashlib.sha256()
    for file in sorted(_SOURCES.rglob("*.py")):
        digest.update(str(file.relative_to(_SOURCES).as_posix()).encode())
        digest.update(file.read_bytes())
    for name in _LIBRARIES:
        try:
            digest.update(f"{name} {version(name)}".encode())
        except PackageNotFoundError:
            continue
    return digest.hexdigest()
