"""What a run's Java side is told of the functions that the query calls: scripts, the champion, Python."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fraudstream.asaql.project_files.folder import PythonPlace
from fraudstream.core.errors import ConfigurationError

if TYPE_CHECKING:
    from fraudstream.asaql.compiling import Compiled
    from fraudstream.asaql.running.session import QuerySession

# What they print, in the session's folder.
PYTHON_LOG = "python.log"
_WORKER = Path(__file__).with_name("python_worker.py")
# What a process needs to start, and nothing that is a secret of ours.
_KEPT_VARIABLES = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "SYSTEMROOT", "VIRTUAL_ENV")

# What the functions print is there at once.
_OWN_VARIABLES = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}


def described_functions(session: QuerySession, compiled: Compiled) -> dict[str, Any] | None:
    """The functions as ``RunFunctions.java`` reads them; None for a query that calls none.

    Raises :class:`ModelError` where there is no champion to score with, :class:`RegistryUnavailable`, and
    :class:`ConfigurationError` for functions in Python that nobody has allowed.
    """
    described: dict[str, Any] = dict(compiled.scripts)
    if compiled.models:
        from fraudstream.asaql.running.champion import champion

        described["champion"] = champion(session, compiled.folder, compiled.models)
    if compiled.python:
        described["python"] = _python(session, compiled)
    return described or None


def require_allowed(compiled: Compiled, allows_python: bool) -> None:
    """Raise :class:`ConfigurationError` for a query that calls functions in Python, unless somebody has allowed it."""
    if compiled.python and not allows_python:
        names = ", ".join(f"udf.{name}" for name in compiled.python)
        raise ConfigurationError(
            f"{compiled.file} calls {names}, written in Python, which can do on this machine whatever you can. Look at "
            "the project's Functions, and give --python to let them run."
        )


def _python(session: QuerySession, compiled: Compiled) -> dict[str, Any]:
    require_allowed(compiled, session.allows_python)
    worker = python_worker({name: python_place(place) for name, place in compiled.python.items()}, compiled.folder)
    # A changed file is read anew.
    worker["worker"]["versions"] = [_version(place) for place in compiled.python.values()]
    return worker | {"log": str(session.scratch / PYTHON_LOG)}


def python_worker(functions: Mapping[str, Mapping[str, str]], folder: Path) -> dict[str, Any]:
    """The process that has functions in Python as ``PythonProcess.java`` starts it.

    ``functions``: by name the ``file`` or ``module`` and the ``function`` in it, and the file's ``text`` where it is
    not to be read again; ``folder``: the query's project.
    """
    environment = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    return {
        "names": list(functions),
        "command": [sys.executable, str(_WORKER)],
        "environment": environment | _OWN_VARIABLES,
        "worker": {"functions": functions, "paths": [str(folder.absolute() / "Functions"), str(Path.cwd())]},
        "advice": "A function ended its process; run it in Python by itself to see why.",
    }


def python_place(place: PythonPlace) -> dict[str, str]:
    """Where a function is, as :func:`python_worker` takes it."""
    file = "" if place.file is None else str(place.file.absolute())
    return {"file": file, "module": place.module, "function": place.function}


def _version(place: PythonPlace) -> int:
    try:
        return 0 if place.file is None else place.file.stat().st_mtime_ns
    except OSError as error:
        raise ConfigurationError(
            f"{place.file} cannot be read ({error.strerror or error}): it has the function {place.function}."
        ) from error
