"""A Spark cluster on this machine: a standalone master and workers of one core each, as processes of a stage."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pyspark

from fraudstream.bench.harness.stage import Stage
from fraudstream.runtime.parts.java import spark_environment
from fraudstream.runtime.supervise.part import Part
from fraudstream.runtime.supervise.preflight import free_port

_HOST = "127.0.0.1"
_MEMORY = "1g"
_ANSWER_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """``url`` is what ``FRAUDSTREAM_SPARK_MASTER`` takes; ``children`` are the master and its workers."""

    url: str
    children: tuple[subprocess.Popen[bytes], ...]


@contextmanager
def cluster(stage: Stage, workers: int) -> Iterator[Cluster]:
    """A master with so many workers, which have registered; they end with the block."""
    port, web_port = free_port(), free_port()
    url = f"spark://{_HOST}:{port}"
    number = stage.next_number()
    children = [
        stage.start(_part(f"master-{number}", stage, web_port, 0, "master.Master", "--port", str(port))),
    ]
    try:
        for place in range(workers):
            words = ("worker.Worker", "--cores", "1", "--memory", _MEMORY)
            folder = str(stage.folder / f"worker-{number}-{place}")
            children.append(
                stage.start(_part(f"worker-{number}-{place}", stage, web_port, place + 1, *words, "-d", folder, url))
            )
        yield Cluster(url, tuple(children))
    finally:
        for child in reversed(children):
            stage.stop(child)


def _part(name: str, stage: Stage, web_port: int, alive: int, deployed: str, *words: str) -> Part:
    """A daemon of Spark's; ready once the master knows of ``alive`` workers."""
    home = Path(pyspark.__file__).parent
    web = str(web_port if deployed.startswith("master") else free_port())
    command = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{deployed}"]
    return Part(
        name,
        [*command, "--host", _HOST, "--webui-port", web, *words],
        lambda: _alive_workers(web_port) == alive,
        env=spark_environment() | {"SPARK_LOCAL_IP": _HOST, "SPARK_HOME": str(home), "SPARK_DAEMON_MEMORY": "256m"},
        cwd=stage.folder,
    )


def _alive_workers(web_port: int) -> int:
    """How many workers the master knows of; -1 while it does not answer."""
    try:
        return int(httpx.get(f"http://{_HOST}:{web_port}/json/", timeout=_ANSWER_SECONDS).json()["aliveworkers"])
    except (httpx.TransportError, ValueError, KeyError):
        return -1
