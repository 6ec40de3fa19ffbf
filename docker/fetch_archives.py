"""Fetch the Java archives that a lock file pins, and check them: ``fetch_archives.py LOCK FOLDER``.

An image's build runs it before any of the project's own code is copied, so that archives are fetched again only when
the lock file changes. It needs Python alone. FOLDER gets the layout of a Maven repository, as in the user's cache.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

REPOSITORY = os.environ.get("MAVEN_URL") or "https://repo1.maven.org/maven2"
CONNECTIONS = 8
TRIES = 3
TIMEOUT_SECONDS = 60


def fetch(coordinates: str, sha256: str, folder: Path) -> None:
    """Fetch one archive. Raises ``OSError`` when it cannot be fetched, ``ValueError`` for another checksum."""
    group, name, version = coordinates.split(":")
    location = f"{group.replace('.', '/')}/{name}/{version}/{name}-{version}.jar"
    content = read(f"{REPOSITORY.rstrip('/')}/{location}")
    checksum = hashlib.sha256(content).hexdigest()
    if checksum != sha256:
        raise ValueError(f"{REPOSITORY} has {coordinates} with the SHA-256 {checksum} instead of {sha256}.")
    (folder / location).parent.mkdir(parents=True, exist_ok=True)
    (folder / location).write_bytes(content)


def read(url: str) -> bytes:
    """The answer's body; a failed connection is tried again."""
    for _ in range(TRIES - 1):
        with suppress(OSError):
            return download(url)
    return download(url)


def download(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - the repository's address
        return bytes(answer.read())


def main(lock: str, folder: str) -> None:
    """Fetch all groups of the lock file."""
    archives = {
        entry["artifact"]: entry["sha256"]
        for group in json.loads(Path(lock).read_text("utf-8")).values()
        for entry in group
    }
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for done in [pool.submit(fetch, name, sha256, Path(folder)) for name, sha256 in archives.items()]:
            done.result()


if __name__ == "__main__":
    main(*sys.argv[1:])
