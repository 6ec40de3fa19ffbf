"""Pinned Java artifacts: fetched once from a Maven repository, verified, and kept in the user's cache folder.

``python -m fraudstream.runtime.parts.artifacts GROUP… [--into FOLDER]`` fetches them ahead of a start, as images do.
"""

from __future__ import annotations

import argparse
import errno
import functools
import hashlib
import json
import logging
import os
import shutil
import ssl
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal, get_args

import certifi
import httpx
import platformdirs
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from fraudstream.core.configuration.settings import ENV_PREFIX, load_settings
from fraudstream.core.errors import ArtifactError, FraudstreamError
from fraudstream.core.output.terminal import terminal
from fraudstream.core.process import folders
from fraudstream.core.process.environment import DATA_DIR_VARIABLE

Group = Literal["kafka", "documentstore", "spark-kafka", "compiler", "javascript", "devices"]
GROUPS: tuple[Group, ...] = get_args(Group)

CACHE_VARIABLE = f"{ENV_PREFIX}CACHE_DIR"
MAVEN_VARIABLE = f"{ENV_PREFIX}MAVEN_URL"
MAVEN_CENTRAL = "https://repo1.maven.org/maven2"

_CONNECTIONS = 8
_TRIES = 3
_TIMEOUT_SECONDS = 30.0
# A partial file this old belongs to a process that was killed.
_STALE_SECONDS = 3600.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Artifact:
    """A jar of the lock file; ``coordinates`` are Maven's group:artifact:version."""

    coordinates: str
    sha256: str
    size: int

    @property
    def location(self) -> str:
        """Its path below a Maven repository, and below the cache's ``maven`` folder."""
        group, name, version = self.coordinates.split(":")
        return f"{group.replace('.', '/')}/{name}/{version}/{name}-{version}.jar"

    @property
    def path(self) -> Path:
        return cache_dir() / "maven" / self.location

    def is_cached(self) -> bool:
        """The cached file is there and has the pinned checksum."""
        try:
            if self.path.stat().st_size != self.size:
                return False
            with self.path.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == self.sha256
        except OSError:
            return False


def cache_dir() -> Path:
    """``FRAUDSTREAM_CACHE_DIR``, else the user's cache folder, else, where that cannot be made, one below the data."""
    given = os.environ.get(CACHE_VARIABLE)
    if given:
        return Path(given).absolute()
    try:
        users = platformdirs.user_cache_dir("fraudstream", appauthor=False)
    except RuntimeError:  # neither HOME nor an entry of this user names a home
        users = ""
    return _cache_dir(users, os.environ.get(DATA_DIR_VARIABLE))


@functools.cache
def _cache_dir(users: str, data_dir: str | None) -> Path:
    folder = Path(users)
    if folder.is_absolute() and (folders.exists(folder) or folders.writable(folder)):
        return folder
    return (Path(data_dir) if data_dir else load_settings().data_dir).absolute() / "cache"


@functools.cache
def locked(group: Group) -> tuple[Artifact, ...]:
    """The artifacts of a group as the lock file pins them."""
    lock = json.loads(resources.files("fraudstream.runtime.parts").joinpath("artifacts.lock.json").read_text("utf-8"))
    return tuple(Artifact(entry["artifact"], entry["sha256"], entry["bytes"]) for entry in lock[group])


def paths(group: Group) -> list[Path]:
    """Where the jars of a group are, or will be once :func:`ensure` has run."""
    return [artifact.path for artifact in locked(group)]


def missing(group: Group) -> list[Artifact]:
    """The artifacts of a group that are not in the cache or are damaged there."""
    return [artifact for artifact in locked(group) if not artifact.is_cached()]


def ensure(group: Group) -> list[Path]:
    """The jars of a group, verified; fetches those that are missing or damaged. Raises :class:`ArtifactError`.

    Needs no network once the cache is filled, and may run in several processes at once.
    """
    wanted = missing(group)
    if wanted:
        _fetch_all(group, wanted)
    return paths(group)


def _fetch_all(group: Group, wanted: Sequence[Artifact]) -> None:
    base = os.environ.get(MAVEN_VARIABLE) or MAVEN_CENTRAL
    if not _is_address(base):
        raise ArtifactError(f"{MAVEN_VARIABLE} is {base!r}. Set it to the https address of a Maven repository.")
    total = sum(artifact.size for artifact in wanted)
    console = terminal(stderr=True)
    if not sys.stderr.isatty():
        log.info("fetching %d artifacts of %s, %.1f MB, from %s", len(wanted), group, total / 1e6, base)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with (
        Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as progress,
        httpx.Client(
            verify=_trust(),
            timeout=_TIMEOUT_SECONDS,
            follow_redirects=True,
            limits=httpx.Limits(max_connections=_CONNECTIONS),
        ) as client,
        ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="fetch") as pool,
    ):
        task = progress.add_task(f"Fetching {group}", total=total)
        fetches = [
            pool.submit(_fetch, client, base, artifact, lambda count: progress.advance(task, count))
            for artifact in wanted
        ]
        try:
            for fetch in as_completed(fetches):
                fetch.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _is_address(text: str) -> bool:
    try:
        return httpx.URL(text).scheme in ("https", "http") and bool(httpx.URL(text).host)
    except httpx.InvalidURL:
        return False


def _fetch(client: httpx.Client, base: str, artifact: Artifact, advance: Callable[[int], None]) -> None:
    url = f"{base.rstrip('/')}/{artifact.location}"
    for remaining in reversed(range(_TRIES)):
        try:
            _download(client, url, artifact, advance)
            return
        except httpx.HTTPError as error:
            refused = isinstance(error, httpx.HTTPStatusError) and error.response.status_code < 500
            if remaining and not refused:
                continue
            raise ArtifactError(
                f"{artifact.coordinates} is not in {cache_dir()} and {url} cannot be fetched "
                f"({type(error).__name__}: {error}). Connect to the network once, set {MAVEN_VARIABLE} to a "
                f"repository within reach, or copy the cache of another machine and set {CACHE_VARIABLE}."
            ) from error
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise ArtifactError(
                    f"The disk is full: {artifact.path} needs {artifact.size / 1e6:.1f} MB. Free some space, or set "
                    f"{CACHE_VARIABLE} to a folder on another disk."
                ) from error
            raise ArtifactError(
                f"{artifact.path} cannot be written ({error.strerror or error}). Make the folder writable, or set "
                f"{CACHE_VARIABLE} to another one."
            ) from error


def _download(client: httpx.Client, url: str, artifact: Artifact, advance: Callable[[int], None]) -> None:
    target = artifact.path
    target.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(target.parent)
    partial = target.with_name(f"{target.name}.{os.getpid()}.part")
    digest = hashlib.sha256()
    received = 0
    try:
        with client.stream("GET", url) as response, partial.open("wb") as file:
            response.raise_for_status()
            for chunk in response.iter_bytes():
                file.write(chunk)
                digest.update(chunk)
                received += len(chunk)
                advance(len(chunk))
        if digest.hexdigest() != artifact.sha256:
            raise ArtifactError(
                f"{url} has the SHA-256 {digest.hexdigest()} instead of {artifact.sha256}. Nothing was installed. "
                f"Try again; if it persists, whatever answers for that address changes the files: set {MAVEN_VARIABLE} "
                "to a faithful mirror."
            )
        partial.replace(target)
    except BaseException:
        advance(-received)
        raise
    finally:
        partial.unlink(missing_ok=True)


def _remove_stale(folder: Path) -> None:
    for partial in folder.glob("*.part"):
        try:
            if time.time() - partial.stat().st_mtime > _STALE_SECONDS:
                partial.unlink()
        except FileNotFoundError:
            continue  # another process was quicker


def _trust() -> ssl.SSLContext:
    # The system's store knows a company proxy's certificate; some Pythons come without any, hence certifi too.
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch the named groups, and copy them into a folder if one is given; returns the exit status."""
    status, _ = deliver("fraudstream-artifacts", __doc__, ("GROUP", GROUPS), ensure, arguments)
    return status


def deliver(
    program: str,
    description: str | None,
    words: tuple[str, Iterable[str]],
    fetch: Callable[[Any], list[Path]],
    arguments: Sequence[str] | None,
) -> tuple[int, list[Path]]:
    """Fetch what the arguments name, and copy it into the folder of ``--into``; returns the exit status and the files.

    ``words``: what one of the arguments is called, and which there are.
    """
    parser = argparse.ArgumentParser(prog=program, description=(description or "").partition("\n")[0])
    parser.add_argument("names", nargs="+", choices=words[1], metavar=words[0])
    parser.add_argument("--into", type=Path, metavar="FOLDER")
    options = parser.parse_args(arguments)
    try:
        files = [path for name in options.names for path in fetch(name)]
    except FraudstreamError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status, []
    if options.into is not None:
        options.into.mkdir(parents=True, exist_ok=True)
        files = [Path(shutil.copy(path, options.into)) for path in files]
    return 0, files


if __name__ == "__main__":
    sys.exit(main())
