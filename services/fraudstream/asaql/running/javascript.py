"""The jars that run users' functions in JavaScript: fetched and compiled only where a query calls one."""

from __future__ import annotations

from pathlib import Path


def javascript_jars() -> tuple[Path, ...]:
    """Our library and the interpreter's. Raises :class:`ArtifactError`, :class:`JavaMissing`."""
    from fraudstream.runtime.parts import artifacts, jvm_libraries

    return (jvm_libraries.ensure(jvm_libraries.JAVASCRIPT), *artifacts.ensure("javascript"))
