"""What a measurement was made on: machine, load and versions."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

from fraudstream.runtime.parts import artifacts
from fraudstream.runtime.parts.java import find_java


def machine() -> dict[str, Any]:
    """Processor, cores, memory in GiB, system, and the load averages of now: ask before anything is started."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "load_average_before": [round(value, 2) for value in os.getloadavg()],
    }


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Of Python, Java, the broker, and those of the packages that are installed."""
    versions = {"python": platform.python_version(), "java": str(find_java().version)}
    for name in packages:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    for artifact in artifacts.locked("kafka"):
        group, name, number = artifact.coordinates.split(":")
        if group == "org.apache.kafka" and name.startswith("kafka_"):
            versions["kafka"] = number
    return versions


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()
