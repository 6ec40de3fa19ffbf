"""What a measurement was made on: machine, load and versions."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from fraudstream.bench.environments import WORKERS, pinned
from fraudstream.runtime import artifacts
from fraudstream.runtime.java import find_java

_PACKAGES = ("fraudstream", "pyspark", "mlflow", "xgboost", "pymongo", "uvicorn", "fastapi", "orjson", "numpy")
_PEERS = {"bare": "confluent-kafka", "quix": "quixstreams", "bytewax": "bytewax", "faust": "faust-streaming"}


def described() -> dict[str, Any]:
    """Processor, cores, memory in GiB, system, and the load average before anything was started."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "load_average_before": [round(value, 2) for value in os.getloadavg()],
    }


def versions() -> dict[str, str]:
    """What runs: Python, Java, Kafka, our packages, and the peers as they are pinned."""
    found = {"python": platform.python_version(), "java": str(find_java().version)}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    for artifact in artifacts.locked("kafka"):
        group, name, number = artifact.coordinates.split(":")
        if group == "org.apache.kafka" and name.startswith("kafka_"):
            found["kafka"] = number
    for environment in WORKERS:
        found[_PEERS[environment]] = pinned(environment)[_PEERS[environment]]
    return found


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
