"""The results' file: what was measured, on which machine, with which versions, and which bounds it kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fraudstream.bench.harness.environments import WORKERS, pinned
from fraudstream.bench.harness.running import Tell
from fraudstream.core.output.terminal import write_file
from fraudstream.runtime.machine import machine, versions

_PACKAGES = (
    "fraudstream",
    "pyspark",
    "mlflow",
    "xgboost",
    "xgboost-cpu",
    "pymongo",
    "uvicorn",
    "fastapi",
    "orjson",
    "numpy",
)
_PEERS = {"bare": "confluent-kafka", "quix": "quixstreams", "bytewax": "bytewax", "faust": "faust-streaming"}


def recorded(name: str, measure: Callable[[Tell], dict[str, Any]], tell: Tell) -> dict[str, Any]:
    """Run a benchmark; returns its complete results."""
    began = datetime.now(UTC)
    head = {
        "benchmark": name,
        "measured_at": began.isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(_PACKAGES) | {_PEERS[name]: pinned(name)[_PEERS[name]] for name in WORKERS},
    }
    measured: dict[str, Any] = rounded(measure(tell))
    return head | {"seconds": round((datetime.now(UTC) - began).total_seconds(), 1)} | measured


def anew(before: Mapping[str, Any], measured: Mapping[str, Any], parts: Iterable[str]) -> dict[str, Any]:
    """The results of before with these parts measured anew, each dated; the new ones where there are none."""
    if not before:
        return dict(measured)
    # Versions are those of the newest run, which has all that a table names.
    kept = {name: value for name, value in before.items() if name != "versions"}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {**kept, **measured, "measured_anew": {**before.get("measured_anew", {}), **dict.fromkeys(parts, now)}}


def rounded(value: Any) -> Any:
    """The same with floating-point numbers in four significant digits or three decimals, whichever says more."""
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(one) for one in value]
    if isinstance(value, float):
        return round(value, 3) if abs(value) >= 1 else float(f"{value:.4g}")
    return value


def write(results: dict[str, Any], file: Path) -> None:
    """Write the results; series of numbers stay on one line. Raises :class:`FraudstreamError`."""
    write_file(file, to_text(results) + "\n")


def read(file: Path) -> dict[str, Any]:
    """Read a results' file."""
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


def to_text(value: Any, indent: int = 0) -> str:
    """JSON with one line a leaf object, so that a file can be read and compared."""
    pad = " " * (indent + 1)
    if isinstance(value, dict) and any(isinstance(one, dict | list) for one in value.values()):
        lines = [f"{pad}{json.dumps(key)}: {to_text(one, indent + 1)}" for key, one in value.items()]
        return "{\n" + ",\n".join(lines) + "\n" + " " * indent + "}"
    if isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        return "[\n" + ",\n".join(pad + to_text(one, indent + 1) for one in value) + "\n" + " " * indent + "]"
    return json.dumps(value, ensure_ascii=False)
