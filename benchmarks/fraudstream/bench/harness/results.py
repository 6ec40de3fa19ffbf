"""The results' file: figures and bounds, with the machine and the versions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fraudstream.bench.harness.environments import WORKERS, pinned
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


# Stores a benchmark's results so far.
Keep = Callable[[dict[str, Any]], None]


class Record:
    """One run of a benchmark: the head of its results has the machine, the versions and when the run began."""

    def __init__(self, name: str) -> None:
        self._began = datetime.now(UTC)
        self._head = {
            "benchmark": name,
            "measured_at": self._began.isoformat(timespec="seconds"),
            "machine": machine(),
            "versions": versions(_PACKAGES) | {_PEERS[name]: pinned(name)[_PEERS[name]] for name in WORKERS},
        }

    def headed(self, measured: Mapping[str, Any]) -> dict[str, Any]:
        """The results with their head and the seconds up to now."""
        seconds = round((datetime.now(UTC) - self._began).total_seconds(), 1)
        figures: dict[str, Any] = rounded(dict(measured))
        return self._head | {"seconds": seconds} | figures


def remeasured(before: Mapping[str, Any], measured: Mapping[str, Any], parts: Iterable[str]) -> dict[str, Any]:
    """The results ``before`` with those of ``parts`` that are in ``measured`` replaced, each with its new date.

    ``incomplete`` lists the parts that this run or the one before should have measured and that are still missing.
    Without results before, the new ones stand alone.
    """
    parts = tuple(parts)
    # The versions are the newest run's: it names every package that a table shows.
    merged = {name: value for name, value in before.items() if name not in ("versions", "incomplete")} | dict(measured)
    if before:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        dates = dict.fromkeys((part for part in parts if part in measured), now)
        merged["measured_anew"] = {**before.get("measured_anew", {}), **dates}
    expected = dict.fromkeys((*before.get("incomplete", ()), *parts))
    missing = [part for part in expected if part not in merged]
    return merged | ({"incomplete": missing} if missing else {})


def rounded(value: Any) -> Any:
    """The same with floating-point numbers in four significant digits below 1, and in three decimals from 1 on."""
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(part) for part in value]
    if isinstance(value, float):
        return round(value, 3) if abs(value) >= 1 else float(f"{value:.4g}")
    return value


def write(results: dict[str, Any], file: Path) -> None:
    """Write the results, so that an interrupted write leaves the file as it was. Raises :class:`FraudstreamError`."""
    text = to_text(results) + "\n"
    target = file.resolve()
    if target.exists() and not target.is_file():
        write_file(file, text)  # a device, such as /dev/null
        return
    partial = target.with_name(f"{target.name}.partial")
    write_file(partial, text)
    partial.replace(target)


def read(file: Path) -> dict[str, Any]:
    """Read a results' file."""
    results: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return results


def to_text(value: Any, indent: int = 0) -> str:
    """JSON with an innermost object or list on one line, so that a file can be read and compared."""
    pad = " " * (indent + 1)
    if isinstance(value, dict) and any(isinstance(part, dict | list) for part in value.values()):
        lines = [f"{pad}{json.dumps(key)}: {to_text(part, indent + 1)}" for key, part in value.items()]
        return "{\n" + ",\n".join(lines) + "\n" + " " * indent + "}"
    if isinstance(value, list) and any(isinstance(part, dict | list) for part in value):
        return "[\n" + ",\n".join(pad + to_text(part, indent + 1) for part in value) + "\n" + " " * indent + "]"
    return json.dumps(value, ensure_ascii=False)
