"""The environment that our processes run in: made from the given one by a list of what passes, never inherited whole.

A shell may hold the set-up of another Spark, Python, Java or MLflow, of a proxy, a language, a hardened machine. What
is not on the list below reaches no process of ours; ``docs/how-to/operations.md`` names what passes and how to say
otherwise.
"""

from __future__ import annotations

import contextlib
import functools
import locale
import os
import re
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from fraudstream.core.process import certificates, footing, places, proxies

_OWN_PREFIX = "FRAUDSTREAM_"
# The product's own variables that the rules below look at.
DATA_DIR_VARIABLE = f"{_OWN_PREFIX}DATA_DIR"
MLFLOW_SECONDS_VARIABLE = f"{_OWN_PREFIX}MLFLOW_TIMEOUT_SECONDS"
_MASTER_VARIABLE = f"{_OWN_PREFIX}SPARK_MASTER"
# Which variables a command left out when it started, and which of them may have been meant for it: a later look at its
# environment could not tell.
LEFT_OUT_VARIABLE = "_FRAUDSTREAM_LEFT_OUT"
ALIKE_VARIABLE = "_FRAUDSTREAM_ALIKE"

_PASSED = frozenset(
    (
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TZ", "TZDIR", "TMPDIR", "JAVA_HOME", "XDG_CACHE_HOME"),
        *("TERM", "COLORTERM", "TERM_PROGRAM", "NO_COLOR", "FORCE_COLOR"),
        *("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONUNBUFFERED", "PYTHONFAULTHANDLER"),
        *("PYTHONHASHSEED", "PYTHONNOUSERSITE", "PYTHONUSERBASE"),
        # Where programs find their libraries: without them the Python that reads this might not run at all.
        *("LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH", "NIX_LD", "NIX_LD_LIBRARY_PATH"),
        *("SYSTEMROOT", "COMSPEC", "PATHEXT", "WINDIR", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA"),
        LEFT_OUT_VARIABLE,
        ALIKE_VARIABLE,
    )
)
# Beside ours what a managed, workload or service-principal identity is found by (azure-identity's README, "Environment
# variables", and its managed identity sources).
# What makes benchmarks their own environments reads the last three.
_PASSED_PREFIXES = ("AZURE_", "IDENTITY_", "MSI_", "IMDS_", "UV_", "PIP_", "PLAYWRIGHT_")
# How wide libraries work and terminals are; a word in the place of the number would break them, and a table that is no
# column wide is empty.
_PASSED_NUMBERS = frozenset(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MALLOC_ARENA_MAX", "COLUMNS", "LINES"))
_NUMBER = re.compile(r"0*[1-9][0-9]{0,4}")
# How a shell asks a command for what may be typed next; its parts are asked nothing.
_COMPLETE_VARIABLE = "_FRAUDSTREAM_COMPLETE"
_COMPLETION = (_COMPLETE_VARIABLE, "_TYPER_COMPLETE", "COMP_")
# A driver of a cluster reads the cluster's own configuration; on this machine alone it would be another Spark's.
_PASSED_TO_CLUSTERS = (
    "SPARK_CONF_DIR",
    "SPARK_LOCAL_IP",
    "PYSPARK_PYTHON",
    "HADOOP_CONF_DIR",
    "KUBECONFIG",
    "KUBERNETES_",
)

# Left out and worth telling: each belongs to a program that ours use as well.
_FOREIGN = re.compile(
    r"_?(SPARK|PYSPARK|PYTHON|JAVA|JDK|JRE|CLASSPATH|MLFLOW|HADOOP|YARN|HIVE|HDFS|KAFKA|LOG4J|SCALA|IVY|DATABRICKS|"
    r"UVICORN|GUNICORN|WEB_CONCURRENCY|FLASK|DASH|PLOTLY|STREAMLIT|WERKZEUG|MPL|NUMBA|KMP|GOMP|OMP|OPENBLAS|MKL|XGBOOST|ARROW|"
    r"PYDANTIC|STRUCTLOG|SSLKEYLOGFILE|OPENSSL|MONGO|PYMONGO|ROCKSDB|BASH_ENV|CDPATH|GLIBC_TUNABLES|MALLOC)",
    re.IGNORECASE,
)

_SAFE_PATH = "/usr/local/bin:/usr/bin:/bin"
_UTF8_LOCALES = ("C.UTF-8", "C.utf8", "en_US.UTF-8", "UTF-8")


def made(given: Mapping[str, str]) -> dict[str, str]:
    """The environment for a process of ours; the same again for what it has made.

    Our own variables are in capitals, in whatever letters they were given. Home, cache and temporary folder are below
    ``FRAUDSTREAM_DATA_DIR`` where the given ones cannot be used. Texts are UTF-8. Nothing on this machine, at a
    listener of ours or under a name without a dot is asked through a proxy.
    """
    own = {name: given[written] for name, written in _own_names(given).items()}
    given = {name: value for name, value in given.items() if not _is_own(name)} | own
    passed = {name: value for name, value in given.items() if _passes(name, value, given)}
    folder = Path(given[DATA_DIR_VARIABLE]) if given.get(DATA_DIR_VARIABLE) else None
    return {
        **passed,
        **certificates.made(given),
        **_patience(given),
        **proxies.made(given),
        **_own_python(given),
        **places.made(passed, folder),
        "PATH": passed.get("PATH") or _SAFE_PATH,
        "LANG": _utf8_locale(),
        "LC_ALL": _utf8_locale(),
        # Files of the working folder must not stand in for modules.
        "PYTHONSAFEPATH": "1",
        "PYTHONUTF8": "1",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
    }


def with_data_dir(data_dir: Path) -> dict[str, str]:
    """This process's variables with the data folder as an absolute one: a child may run in a folder of its own."""
    return {**os.environ, DATA_DIR_VARIABLE: str(data_dir.absolute())}


def adopt() -> None:
    """Give this process the environment that ours run in; call it where a command starts.

    Starts the interpreter anew where the given environment has changed the interpreter itself: its module path, its
    warnings, its encoding. Does nothing in a process that Spark started, whose environment is the platform's. Ends the
    process where it has no working folder.
    """
    if _platform_session(os.environ):
        return
    footing.secure()
    environment = made(os.environ)
    environment |= {name: value for name, value in os.environ.items() if name.startswith(_COMPLETION)}
    gone = {name for name, value in os.environ.items() if value and _is_replaced(name, value, environment)}
    for variable, names in (
        (LEFT_OUT_VARIABLE, filter(_is_told, gone)),
        (ALIKE_VARIABLE, {*filter(is_alike, gone), *_overruled(os.environ)}),
    ):
        if variables := sorted({*names, *_names_in(variable)}):
            environment[variable] = ",".join(variables)
    changed = any(
        value and name.startswith("PYTHON") and environment.get(name) != value for name, value in os.environ.items()
    )
    if changed or sys.getfilesystemencoding() != "utf-8":
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606 - no shell is wanted
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    os.environ.update(environment)


@contextmanager
def in_force(further: Mapping[str, str]) -> Iterator[None]:
    """While the block runs, what this process starts gets our environment and ``further`` variables.

    In a process that Spark started the environment stays the platform's.
    """
    before = dict(os.environ)
    during = before
    if not _platform_session(before):
        during = {**made({**before, **further}), **further}
        _replace(during)
    try:
        yield
    finally:
        # What the block itself has set, PySpark for one, stays.
        _replace({name: value for name, value in os.environ.items() if during.get(name) != value} | before)


def left_out() -> list[str]:
    """The variables that this command found when it started, and left out or replaced."""
    return _names_in(LEFT_OUT_VARIABLE)


def alike() -> list[str]:
    """The variables that this command left out although they look like ours, as they were written.

    Their prefix may be misspelt; or the same name was given twice, in capitals and in other letters.
    """
    return _names_in(ALIKE_VARIABLE)


def completing() -> bool:
    """Whether a shell asks what may be typed next: nothing else is said then."""
    return _COMPLETE_VARIABLE in os.environ


def java_properties(environment: Mapping[str, str]) -> list[str]:
    """The options of a Java process of ours that say what it would ask the system for.

    A user that ``/etc/passwd`` does not know has the home ``?`` there; libraries are unpacked into the temporary
    folder and run from it; a language other than English changes digits and upper case.
    """
    properties = {
        "java.io.tmpdir": environment.get("TMPDIR", ""),
        "user.home": environment.get("HOME", ""),
        "user.name": environment.get("USER", ""),
        "user.language": "en",
        "user.country": "US",
        "file.encoding": "UTF-8",
    }
    return [f"-D{name}={value}" for name, value in properties.items() if value]


def _patience(given: Mapping[str, str]) -> dict[str, str]:
    """How long MLflow's client waits, where our own variable says so; a shell holds that for another MLflow."""
    seconds = given.get(MLFLOW_SECONDS_VARIABLE, "")
    return {"MLFLOW_HTTP_REQUEST_TIMEOUT": seconds} if _NUMBER.fullmatch(seconds) else {}


def _is_own(name: str) -> bool:
    return name.upper().startswith(_OWN_PREFIX)


def _own_names(given: Mapping[str, str]) -> dict[str, str]:
    """Our own variables' names in capitals → as the one is written that counts; capitals go before other letters."""
    names: dict[str, str] = {}
    for name in sorted(given):
        if given[name] and _is_own(name):
            names.setdefault(name.upper(), name)
    return names


def _overruled(given: Mapping[str, str]) -> set[str]:
    """The names that stand for another value than the one that counts under the same name in capitals."""
    chosen = _own_names(given)
    return {name for name in given if given[name] and _is_own(name) and given[name] != given[chosen[name.upper()]]}


def is_alike(name: str) -> bool:
    """Whether it may be a misspelt name of ours: whoever knows the names looks closer."""
    return not _is_own(name) and any(part in name.upper() for part in ("FRAUD", "STREAM"))


def _names_in(variable: str) -> list[str]:
    return [name for name in os.environ.get(variable, "").split(",") if name]


def _is_replaced(name: str, value: str, environment: Mapping[str, str]) -> bool:
    """Whether the environment has not this value; a path that was made whole is the same one."""
    if name in certificates.VARIABLES:
        return name not in environment
    return environment.get(name) not in (value, str(Path(value).absolute()))


def _is_told(name: str) -> bool:
    """Whether it is worth telling that the variable was left out or replaced."""
    known = (*certificates.VARIABLES, "HOME", "TMPDIR")
    return bool(_FOREIGN.match(name)) or name in known or name.lower() in proxies.VARIABLES


def _passes(name: str, value: str, given: Mapping[str, str]) -> bool:
    if name in _PASSED_NUMBERS:
        return bool(_NUMBER.fullmatch(value))
    if given.get(_MASTER_VARIABLE) and name.startswith(_PASSED_TO_CLUSTERS):
        return True
    return name in _PASSED or _is_own(name) or name.startswith(_PASSED_PREFIXES)


def _own_python(given: Mapping[str, str]) -> dict[str, str]:
    """``PYTHONPATH`` as far as it leads to this product, as it does in a build from sources."""
    folders = [word for word in given.get("PYTHONPATH", "").split(os.pathsep) if word]
    own = [word for word in folders if os.path.isdir(Path(word) / "fraudstream")]  # noqa: PTH112 - see core/process/places.py
    return {"PYTHONPATH": os.pathsep.join(own)} if own else {}


@functools.cache
def _utf8_locale() -> str:
    """A locale that is installed and has UTF-8: Java reads and writes file names by it."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        for name in _UTF8_LOCALES:
            with contextlib.suppress(locale.Error):
                locale.setlocale(locale.LC_CTYPE, name)
                return name
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    return _UTF8_LOCALES[0]


def _platform_session(given: Mapping[str, str]) -> bool:
    """Whether Spark started this process, as ``spark-submit`` and Databricks do, and waits for it to connect."""
    port = given.get("PYSPARK_GATEWAY_PORT", "")
    if not (port.isdecimal() and given.get("PYSPARK_GATEWAY_SECRET")):
        return False
    with contextlib.suppress(OSError, OverflowError), socket.create_connection(("127.0.0.1", int(port)), 1.0):
        return True
    return False


def _replace(environment: Mapping[str, str]) -> None:
    for name in set(os.environ) - set(environment):
        del os.environ[name]
    os.environ.update(environment)
