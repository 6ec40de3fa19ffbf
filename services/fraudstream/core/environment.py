"""The environment that our processes run in: made from the given one by a list of what passes, never inherited whole.

A shell may hold the set-up of another Spark, Python, Java or MLflow, of a proxy, a language, a hardened machine. What
is not on the list below reaches no process of ours; ``docs/operations.md`` names what passes and how to say otherwise.
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

from fraudstream.core import places, proxies

# The product's own variables that the rules below look at.
DATA_DIR_VARIABLE = "FRAUDSTREAM_DATA_DIR"
_MASTER_VARIABLE = "FRAUDSTREAM_SPARK_MASTER"
# Which variables a command left out when it started: a later look at its environment could not tell.
LEFT_OUT_VARIABLE = "_FRAUDSTREAM_LEFT_OUT"

CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")

_PASSED = frozenset(
    (
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TZ", "TZDIR", "TMPDIR", "JAVA_HOME", "XDG_CACHE_HOME"),
        *("TERM", "COLORTERM", "TERM_PROGRAM", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR"),
        *("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "PYTHONUNBUFFERED", "PYTHONFAULTHANDLER"),
        *("PYTHONHASHSEED", "PYTHONNOUSERSITE", "PYTHONUSERBASE"),
        # Where programs find their libraries: without them the Python that reads this might not run at all.
        *("LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_LIBRARY_PATH", "NIX_LD", "NIX_LD_LIBRARY_PATH"),
        *("SYSTEMROOT", "COMSPEC", "PATHEXT", "WINDIR", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA"),
        *CERTIFICATE_VARIABLES,
        LEFT_OUT_VARIABLE,
    )
)
# Ours, and what a managed, workload or service-principal identity is found by (azure-identity's README, "Environment
# variables", and its managed identity sources).
# What makes benchmarks their own environments reads the last three.
_PASSED_PREFIXES = ("FRAUDSTREAM_", "AZURE_", "IDENTITY_", "MSI_", "IMDS_", "UV_", "PIP_", "PLAYWRIGHT_")
# How patient and how wide libraries work; a word in the place of the number would break them.
_PASSED_NUMBERS = frozenset(
    (
        *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MALLOC_ARENA_MAX"),
        *("MLFLOW_HTTP_REQUEST_TIMEOUT", "MLFLOW_HTTP_REQUEST_MAX_RETRIES"),
    )
)
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

    Home, cache and temporary folder are below ``FRAUDSTREAM_DATA_DIR`` where the given ones cannot be used. Texts are
    UTF-8. Nothing on this machine, at a listener of ours or under a name without a dot is asked through a proxy.
    """
    passed = {name: value for name, value in given.items() if _passes(name, value, given)}
    folder = Path(given[DATA_DIR_VARIABLE]) if given.get(DATA_DIR_VARIABLE) else None
    return {
        **passed,
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


def adopt() -> None:
    """Give this process the environment that ours run in; call it where a command starts.

    Starts the interpreter anew where the given environment has changed the interpreter itself: its module path, its
    warnings, its encoding. Does nothing in a process that Spark started, whose environment is the platform's.
    """
    if _platform_session(os.environ):
        return
    environment = made(os.environ)
    lost = {name for name, value in os.environ.items() if value and _is_told(name) and environment.get(name) != value}
    if lost:
        environment[LEFT_OUT_VARIABLE] = ",".join(sorted(lost.union(left_out())))
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
    return [name for name in os.environ.get(LEFT_OUT_VARIABLE, "").split(",") if name]


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


def certificate_problem(value: str) -> str:
    """Why no certificates can be read from the file or folders (PEM) that ``value`` names; empty if they can.

    HTTP clients end with an error when they are made with such a value, also for an address of this machine.
    """
    if any(os.path.isdir(word) for word in value.split(os.pathsep)):  # noqa: PTH112 - see core/places.py
        return ""
    try:
        held = Path(value).read_bytes() if value else b""
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return "" if b"-----BEGIN" in held else "holds no certificate"


def _is_told(name: str) -> bool:
    """Whether it is worth telling that the variable was left out or replaced."""
    known = (*CERTIFICATE_VARIABLES, "HOME", "TMPDIR")
    return bool(_FOREIGN.match(name)) or name in known or name.lower() in proxies.VARIABLES


def _passes(name: str, value: str, given: Mapping[str, str]) -> bool:
    if name in CERTIFICATE_VARIABLES:
        return not certificate_problem(value)
    if name in _PASSED_NUMBERS:
        return value.isdecimal()
    if given.get(_MASTER_VARIABLE) and name.startswith(_PASSED_TO_CLUSTERS):
        return True
    return name in _PASSED or name.startswith(_PASSED_PREFIXES)


def _own_python(given: Mapping[str, str]) -> dict[str, str]:
    """``PYTHONPATH`` as far as it leads to this product, as it does in a build from sources."""
    folders = [word for word in given.get("PYTHONPATH", "").split(os.pathsep) if word]
    own = [word for word in folders if os.path.isdir(Path(word) / "fraudstream")]  # noqa: PTH112 - see core/places.py
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
