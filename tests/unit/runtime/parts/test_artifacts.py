"""Artifacts come from a repository on this machine: fetched once, verified, and usable without it afterwards."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from fraudstream.core.errors import ArtifactError
from fraudstream.runtime.parts import artifacts
from fraudstream.runtime.parts.artifacts import Artifact, ensure

pytestmark = pytest.mark.timeless

NAMES = ("first", "second", "third")


class Repository(ThreadingHTTPServer):
    """A Maven repository; ``failures`` are the statuses that it answers with before it serves a path."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.failures: dict[str, list[int]] = {}
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/maven2"


class _Handler(BaseHTTPRequestHandler):
    server: Repository

    def do_GET(self) -> None:
        path = self.path.removeprefix("/maven2/")
        self.server.asked.append(path)
        failures = self.server.failures.get(path, [])
        body = self.server.files.get(path)
        status = failures.pop(0) if failures else 404 if body is None else 200
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)) if body and status == 200 else "0")
        self.end_headers()
        if body and status == 200:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def content(name: str) -> bytes:
    return name.encode() * 20_000


@pytest.fixture
def repository() -> Iterator[Repository]:
    with Repository() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def pinned(repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Artifact, ...]:
    """Three artifacts, served and pinned as the group ``kafka``, and an empty cache."""
    pins = tuple(
        Artifact(f"org.example.parts:{name}:1.0", hashlib.sha256(content(name)).hexdigest(), len(content(name)))
        for name in NAMES
    )
    repository.files = {artifact.location: content(name) for artifact, name in zip(pins, NAMES, strict=True)}
    monkeypatch.setattr(artifacts, "locked", lambda _: pins)
    monkeypatch.setenv(artifacts.CACHE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv(artifacts.MAVEN_VARIABLE, repository.url)
    return pins


def leftovers() -> list[Path]:
    return list(artifacts.cache_dir().rglob("*.part"))


def test_the_lock_file_pins_each_artifact_once() -> None:
    for group in artifacts.GROUPS:
        pins = artifacts.locked(group)
        assert len({pin.coordinates for pin in pins}) == len(pins)
        assert all(len(pin.coordinates.split(":")) == 3 and len(pin.sha256) == 64 and pin.size > 0 for pin in pins)
    coordinates = {pin.coordinates for group in artifacts.GROUPS for pin in artifacts.locked(group)}
    assert "org.apache.kafka:kafka_2.13:4.3.1" in coordinates
    assert "de.bwaldvogel:mongo-java-server-h2-backend:1.47.0" in coordinates
    assert "org.apache.spark:spark-sql-kafka-0-10_2.13:4.2.0" in coordinates


def test_what_spark_ships_is_not_fetched() -> None:
    names = {pin.coordinates.split(":")[1] for pin in artifacts.locked("spark-kafka")}
    assert not names & {"lz4-java", "snappy-java", "scala-library", "slf4j-api", "hadoop-client-api"}


def test_a_file_lies_where_maven_would_put_it(pinned: tuple[Artifact, ...]) -> None:
    assert pinned[0].location == "org/example/parts/first/1.0/first-1.0.jar"


def test_fetched_once_and_then_used_without_the_repository(
    pinned: tuple[Artifact, ...], repository: Repository, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "fraudstream.runtime.parts.artifacts"):
        fetched = ensure("kafka")
    assert [path.read_bytes() for path in fetched] == [content(name) for name in NAMES]
    assert leftovers() == []
    assert [record.name for record in caplog.records if record.name.startswith("fraudstream")] == [
        "fraudstream.runtime.parts.artifacts"
    ]
    repository.shutdown()
    repository.server_close()
    assert ensure("kafka") == fetched
    assert sorted(repository.asked) == sorted(pin.location for pin in pinned)


@pytest.mark.parametrize("damage", [b"", content("first")[:-1] + b"!"], ids=["truncated", "changed"])
def test_a_damaged_file_is_fetched_again(pinned: tuple[Artifact, ...], repository: Repository, damage: bytes) -> None:
    ensure("kafka")
    pinned[0].path.write_bytes(damage)
    repository.asked.clear()
    ensure("kafka")
    assert pinned[0].path.read_bytes() == content("first")
    assert repository.asked == [pinned[0].location]


def test_a_file_with_another_checksum_is_not_installed(pinned: tuple[Artifact, ...], repository: Repository) -> None:
    repository.files[pinned[1].location] = content("other")
    with pytest.raises(ArtifactError, match=rf"second-1\.0\.jar has the SHA-256 .* instead of {pinned[1].sha256}"):
        ensure("kafka")
    assert not pinned[1].path.exists()
    assert leftovers() == []


def test_offline_and_missing(pinned: tuple[Artifact, ...], repository: Repository) -> None:
    repository.shutdown()
    repository.server_close()
    with pytest.raises(ArtifactError, match=r"org\.example\.parts:\w+:1\.0 is not in .* Connect to the network once"):
        ensure("kafka")


def test_a_repository_that_lacks_the_file(pinned: tuple[Artifact, ...], repository: Repository) -> None:
    del repository.files[pinned[2].location]
    with pytest.raises(ArtifactError, match="404"):
        ensure("kafka")
    assert repository.asked.count(pinned[2].location) == 1


def test_a_failing_repository_is_asked_again(pinned: tuple[Artifact, ...], repository: Repository) -> None:
    repository.failures[pinned[0].location] = [503, 502]
    ensure("kafka")
    assert repository.asked.count(pinned[0].location) == 3


def test_a_full_disk(pinned: tuple[Artifact, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(ArtifactError, match=rf"The disk is full.*{artifacts.CACHE_VARIABLE}"):
        ensure("kafka")
    assert leftovers() == []


@pytest.mark.parametrize("address", ["repo.example.org/maven2", "http://[::1", "https://repo:x/maven2", "https://"])
def test_an_address_that_is_none(pinned: tuple[Artifact, ...], address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(artifacts.MAVEN_VARIABLE, address)
    with pytest.raises(ArtifactError, match=rf"FRAUDSTREAM_MAVEN_URL is {re.escape(repr(address))}"):
        ensure("kafka")


def test_partial_files_of_a_killed_process_go_away(pinned: tuple[Artifact, ...]) -> None:
    old = pinned[0].path.with_name("first-1.0.jar.1.part")
    old.parent.mkdir(parents=True)
    old.write_bytes(b"half")
    os.utime(old, (0, 0))
    ensure("kafka")
    assert not old.exists()


def test_two_processes_may_fetch_at_once(pinned: tuple[Artifact, ...]) -> None:
    program = (
        "import sys; from fraudstream.runtime.parts import artifacts as a;"
        f"pins = {[(pin.coordinates, pin.sha256, pin.size) for pin in pinned]!r};"
        "a.locked = lambda group: tuple(a.Artifact(*pin) for pin in pins);"
        "sys.exit(0 if all(path.exists() for path in a.ensure('kafka')) else 1)"
    )
    fetching = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(2)]
    assert [process.wait(timeout=60) for process in fetching] == [0, 0]
    assert all(pin.is_cached() for pin in pinned)
    assert leftovers() == []


def test_fetching_ahead_of_a_start_into_a_folder(pinned: tuple[Artifact, ...], tmp_path: Path) -> None:
    assert artifacts.main(["kafka", "--into", str(tmp_path / "jars")]) == 0
    assert sorted(file.name for file in (tmp_path / "jars").iterdir()) == sorted(pin.path.name for pin in pinned)
    assert all(pin.is_cached() for pin in pinned)


def test_fetching_ahead_of_a_start_fails_with_the_reason(
    pinned: tuple[Artifact, ...], repository: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.files.clear()
    assert artifacts.main(["kafka"]) == 1
    assert "cannot be fetched" in capsys.readouterr().err
