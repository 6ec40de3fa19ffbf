"""The jars of our own Java sources: compiled once, by the Eclipse compiler, and kept in the cache folder.

``python -m fraudstream.runtime.parts.jvm_libraries NAME… [--into FOLDER]`` makes them before the first start, as images
do, and prints their paths. No Java development kit is needed: the compiler is one jar of the artifacts' lock file.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from fraudstream.core.errors import ArtifactError
from fraudstream.core.process import environment, folders
from fraudstream.runtime.parts import artifacts
from fraudstream.runtime.parts.java import find_java

_RELEASE = "17"
_COMPILE_SECONDS = 120
# The jars that the sources import, and those that these refer to. All of Spark's jars take longer to read than our
# sources take to compile.
_SPARK_JARS = (
    "hadoop-client-",
    "jackson-",
    "json4s-ast",
    "kryo",
    "scala-library",
    "slf4j-api",
    "spark-catalyst",
    "spark-common-utils",
    "spark-core_",
    "spark-sql-api",
    "spark-unsafe",
)
# The time of a jar's entries: the same sources always make the same file.
_ENTRY_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Library:
    """A jar that is compiled from ``rooms`` of ``services/jvm``, such as ``query/values``, against ``class_path``.

    ``made_for`` names the versions of the jars on the class path: other versions make another library.
    """

    name: str
    rooms: tuple[str, ...]
    class_path: Callable[[], Sequence[Path]]
    made_for: Callable[[], str]


def _spark_jars() -> list[Path]:
    pyspark = importlib.util.find_spec("pyspark")
    if pyspark is None or not pyspark.submodule_search_locations:
        raise ArtifactError("PySpark is not installed. Install fraudstream's extra `stream` whole.")
    jars = Path(pyspark.submodule_search_locations[0]) / "jars"
    return sorted(jar for name in _SPARK_JARS for jar in jars.glob(f"{name}*.jar"))


_QUERY_ROOMS = (
    "query/aggregates",
    "query/analytics",
    "query/engine",
    "query/expressions",
    "query/functions",
    "query/input",
    "query/job",
    "query/live",
    "query/matching",
    "query/operators",
    "query/python",
    "query/reference",
    "query/scoring",
    "query/spark",
    "query/state",
    "query/values",
    "query/windows",
)
SPARK = Library(
    "spark",
    ("contract", "model", *_QUERY_ROOMS, "spark"),
    _spark_jars,
    lambda: f"pyspark {version('pyspark')}",
)
DOCUMENTSTORE = Library(
    "documentstore",
    ("documentstore",),
    lambda: artifacts.ensure("documentstore"),
    lambda: " ".join(artifact.coordinates for artifact in artifacts.locked("documentstore")),
)
# Apart from Spark's, so that only who has functions in JavaScript fetches the archive that runs them.
JAVASCRIPT = Library(
    "javascript",
    ("query/javascript",),
    lambda: [ensure(SPARK), *_spark_jars(), *artifacts.ensure("javascript")],
    lambda: " ".join([place(SPARK).stem, *(artifact.coordinates for artifact in artifacts.locked("javascript"))]),
)
DEVICES = Library(
    "devices",
    ("devices",),
    lambda: artifacts.ensure("devices"),
    lambda: " ".join(artifact.coordinates for artifact in artifacts.locked("devices")),
)
LIBRARIES = {library.name: library for library in (SPARK, DOCUMENTSTORE, JAVASCRIPT, DEVICES)}


def ensure(library: Library) -> Path:
    """The library's jar for the installed sources and class path, compiled if the cache does not have it.

    Raises :class:`ArtifactError`, :class:`JavaMissing`. May run in several processes at once.
    """
    jar = place(library)
    if not folders.exists(jar):
        _build(library, jar)
    return jar


def place(library: Library) -> Path:
    """Where the library's jar is, or will be once :func:`ensure` has run."""
    return artifacts.cache_dir() / "jvm" / f"fraudstream-{library.name}-{_fingerprint(library)}.jar"


def sources_folder() -> Path:
    """The root of the Java sources: in a wheel inside the package folder, in a clone beside it."""
    packages = Path(__file__).parents[2]
    installed = packages / "jvm"
    return installed if installed.is_dir() else packages.parent / "jvm"


def sources(library: Library) -> list[Path]:
    """The library's sources in the order of their names. Raises :class:`ArtifactError` where there are none."""
    root = sources_folder()
    files = sorted(file for room in library.rooms for file in (root / "fraudstream" / room).glob("*.java"))
    if not files:
        raise ArtifactError(f"{root} holds no Java sources of {library.name}. Install fraudstream anew.")
    return files


def _fingerprint(library: Library) -> str:
    """A digest of all that the jar is made from."""
    (compiler,) = artifacts.locked("compiler")
    digest = hashlib.sha256(f"{compiler.coordinates} {_RELEASE} {library.made_for()}".encode())
    for source in sources(library):
        digest.update(source.relative_to(sources_folder()).as_posix().encode() + source.read_bytes())
    return digest.hexdigest()[:16]


def _build(library: Library, jar: Path) -> None:
    (compiler,) = artifacts.ensure("compiler")
    with tempfile.TemporaryDirectory(prefix="fraudstream-jvm-") as scratch:
        folder = Path(scratch)
        # Plain names in one folder: the compiler gives brackets and colons in a path a meaning of its own.
        class_path = [_linked(path, folder / "jars", number) for number, path in enumerate(library.class_path())]
        for source in sources(library):
            copy = folder / source.relative_to(sources_folder())
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
        java = find_java()
        words = [str(java.executable), "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
        words += environment.java_properties(environment.made(os.environ))
        words += ["-jar", str(compiler), f"-{_RELEASE}", "-encoding", "UTF-8", "-g", "-proc:none", "-nowarn"]
        words += ["-d", "classes", "-classpath", os.pathsep.join(class_path), "fraudstream"]
        completed = subprocess.run(
            words,
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_COMPILE_SECONDS,
            env=environment.made(os.environ),
        )
        if completed.returncode:
            raise ArtifactError(
                f"Our Java sources of {library.name} could not be compiled: {completed.stderr.strip()[-1500:]}. "
                "Install fraudstream's extras `stream` and `local` whole, or set FRAUDSTREAM_CACHE_DIR to the cache of "
                "a machine that has compiled them."
            )
        _pack(jar, folder / "classes")


def _linked(jar: Path, folder: Path, number: int) -> str:
    folder.mkdir(exist_ok=True)
    link = folder / f"{number}.jar"
    try:
        link.symlink_to(jar)
    except OSError:  # a file system without links
        shutil.copyfile(jar, link)
    return f"{folder.name}/{link.name}"


def _pack(jar: Path, classes: Path) -> None:
    try:
        jar.parent.mkdir(parents=True, exist_ok=True)
        partial = jar.with_name(f"{jar.name}.{os.getpid()}")
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as packed:
            for file in sorted(classes.rglob("*.class")):
                entry = zipfile.ZipInfo(file.relative_to(classes).as_posix(), _ENTRY_TIME)
                packed.writestr(entry, file.read_bytes())
        partial.replace(jar)
    except OSError as error:
        raise ArtifactError(
            f"{jar} cannot be written ({error.strerror or error}). Make the folder writable, or set "
            "FRAUDSTREAM_CACHE_DIR to another one."
        ) from error


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the jars, copy them into the folder of ``--into``, and print their paths; returns the exit status."""
    status, jars = artifacts.deliver(
        "fraudstream-jvm-libraries", __doc__, ("NAME", LIBRARIES), lambda name: [ensure(LIBRARIES[name])], arguments
    )
    sys.stdout.write("".join(f"{jar}\n" for jar in jars))
    return status


if __name__ == "__main__":
    sys.exit(main())
