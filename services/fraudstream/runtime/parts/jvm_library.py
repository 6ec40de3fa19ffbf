"""The jar of our own Java functions: compiled once, by the compiler that Spark brings, and kept in the cache folder.

``python -m fraudstream.runtime.parts.jvm_library [--into FOLDER]`` makes it ahead of a start, as images do, and prints
its place. No Java development kit is needed: Janino, with which Spark compiles its own generated code, is enough.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fraudstream.core.errors import ArtifactError, FraudstreamError
from fraudstream.core.process import environment, folders
from fraudstream.runtime.parts.artifacts import cache_dir
from fraudstream.runtime.parts.java import find_java
from fraudstream.spark import functions as jvm
from fraudstream.spark.session import quoted

_MODULE = "fraudstream.runtime.parts.jvm_library"
_COMPILE_SECONDS = 120
# What the sources import, and the compiler: reading all of Spark's jars would take longer than compiling.
_CLASS_PATH = (
    "janino",
    "commons-compiler",
    "jackson-",
    "spark-sql-api",
    "spark-catalyst",
    "spark-unsafe",
    "spark-common-utils",
    "kryo",
    "json4s-ast",
    "scala-library",
    "hadoop-client-",
    "slf4j-api",
)
# A jar's entries carry this time, so that the same sources always make the same file.
_ENTRY_TIME = (1980, 1, 1, 0, 0, 0)


def ensure_library() -> Path:
    """The jar for the installed sources, contract and Spark; compiles it where the cache has none.

    Raises :class:`ArtifactError`, :class:`JavaMissing`. May run in several processes at once.
    """
    jar = cache_dir() / "jvm" / f"fraudstream-{_fingerprint()}.jar"
    if not folders.exists(jar):
        _build(jar)
    return jar


def _fingerprint() -> str:
    """Names the jar by all that goes into it."""
    digest = hashlib.sha256(version("pyspark").encode())
    for source in jvm.sources():
        digest.update(source.name.encode() + source.read_bytes())
    digest.update(jvm.contract_json().encode())
    return digest.hexdigest()[:16]


def _build(jar: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="fraudstream-jvm-") as scratch:
        folder = Path(scratch)
        package = folder / "sources" / jvm.PACKAGE
        package.mkdir(parents=True)
        for source in jvm.sources():
            (package / source.name).write_bytes(source.read_bytes())
        classes = folder / "classes"
        # In a process of its own: a Java virtual machine cannot be started twice in one.
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "fraudstream.runtime.parts.jvm_library",
                "--compile",
                str(folder / "sources"),
                str(classes),
            ],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_COMPILE_SECONDS,
            env=environment.made(os.environ),
        )
        if done.returncode:
            raise ArtifactError(
                f"Our Java functions could not be compiled: {done.stderr.strip()[-1500:]}. "
                "Install fraudstream's extra `stream` whole, or set FRAUDSTREAM_CACHE_DIR to the cache of a machine "
                "that has compiled them."
            )
        _pack(jar, classes)


def _pack(jar: Path, classes: Path) -> None:
    try:
        jar.parent.mkdir(parents=True, exist_ok=True)
        partial = jar.with_name(f"{jar.name}.{os.getpid()}")
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as packed:
            for file in sorted(classes.rglob("*.class")):
                entry = zipfile.ZipInfo(file.relative_to(classes).as_posix(), _ENTRY_TIME)
                packed.writestr(entry, file.read_bytes())
            packed.writestr(zipfile.ZipInfo(f"{jvm.PACKAGE}/contract.json", _ENTRY_TIME), jvm.contract_json())
        partial.replace(jar)
    except OSError as error:
        raise ArtifactError(
            f"{jar} cannot be written ({error.strerror or error}). Make the folder writable, or set "
            "FRAUDSTREAM_CACHE_DIR to another one."
        ) from error


def _compile(sources: Path, classes: Path) -> None:
    import pyspark
    from py4j.protocol import Py4JJavaError
    from pyspark import SparkConf
    from pyspark.java_gateway import launch_gateway

    folder = Path(pyspark.__file__).parent / "jars"
    jars = sorted(found for name in _CLASS_PATH for found in folder.glob(f"{name}*.jar"))
    variables = {"JAVA_HOME": str(find_java().home), "SPARK_HOME": str(folder.parent)}
    with environment.in_force(variables):
        told = " ".join(map(quoted, environment.java_properties(os.environ)))
        conf = SparkConf(loadDefaults=False).set("spark.driver.extraJavaOptions", told)
        gateway = launch_gateway(conf)  # type: ignore[no-untyped-call]
    file = gateway.jvm.java.io.File

    def files(paths: Sequence[Path]) -> Any:
        array = gateway.new_array(file, len(paths))
        for place, path in enumerate(paths):
            array[place] = file(str(path))
        return array

    compiler = gateway.jvm.org.codehaus.janino.Compiler()
    compiler.setSourcePath(files([sources]))
    compiler.setClassPath(files(jars))
    compiler.setDestinationDirectory(file(str(classes)), False)
    compiler.setDebugLines(True)
    compiler.setDebugSource(True)
    compiler.setTargetVersion(8)
    compiler.setSourceVersion(8)
    try:
        compiler.compile(files(sorted(sources.rglob("*.java"))))
    except Py4JJavaError as error:
        raise ArtifactError(str(error.java_exception)) from error
    finally:
        gateway.shutdown()


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the jar, copy it into a folder if one is given, and print its place; returns the exit status."""
    parser = argparse.ArgumentParser(prog="fraudstream-jvm-library", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--into", type=Path, metavar="FOLDER")
    parser.add_argument("--compile", type=Path, nargs=2, metavar=("SOURCES", "CLASSES"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    try:
        if options.compile:
            _compile(*options.compile)
            return 0
        jar = ensure_library()
    except FraudstreamError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status
    if options.into is not None:
        options.into.mkdir(parents=True, exist_ok=True)
        jar = Path(shutil.copy(jar, options.into))
    sys.stdout.write(f"{jar}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
