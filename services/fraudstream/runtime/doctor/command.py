"""``fraudstream doctor``: whether this machine has what the local profile needs."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import psutil

from fraudstream.core.configuration.settings import Settings, value_sources
from fraudstream.core.configuration.variables import unread
from fraudstream.core.errors import ConfigurationError, FraudstreamError, JavaMissing, PortTaken
from fraudstream.core.process import folders
from fraudstream.core.project.identity import summary
from fraudstream.core.project.project import named
from fraudstream.runtime import lifecycle
from fraudstream.runtime.doctor import surroundings
from fraudstream.runtime.doctor.check import Check
from fraudstream.runtime.parts import artifacts, documentstore
from fraudstream.runtime.parts.java import find_java
from fraudstream.runtime.supervise import preflight
from fraudstream.runtime.supervise.state import read_state

LEAST_PYTHON = (3, 11)
LEAST_DISK_BYTES = 2_000_000_000
LEAST_MEMORY_BYTES = 4_000_000_000


def run_checks(settings: Settings) -> list[Check]:
    """All checks, in the order in which a start would fail; none of them changes anything or raises."""
    checks: tuple[Callable[[Settings], Check], ...] = (
        _settings,
        _project,
        _query,
        _python,
        _java,
        _memory,
        lambda given: _disk("disk", given.data_dir, "FRAUDSTREAM_DATA_DIR"),
        lambda _: _disk("cache disk", artifacts.cache_dir(), "FRAUDSTREAM_CACHE_DIR"),
        _artifacts,
        _store,
        _leftovers,
        _ports,
    )
    return [*(check(settings) for check in checks), *surroundings.checks(settings)]


def _settings(_: Settings) -> Check:
    without_effect = unread()
    detail = " ".join(setting.text for setting in without_effect) or "each variable is read"
    return Check("settings", not without_effect, detail, "Correct the names, in the environment or in .env.")


def _project(settings: Settings) -> Check:
    try:
        project = named(settings.project)
    except ConfigurationError as error:
        return Check("project", False, "cannot be run", str(error))
    return Check("project", True, f"{summary(project)}; chosen by {value_sources()['project']}")


def _query(settings: Settings) -> Check:
    # What compiles queries takes a moment to import.
    from fraudstream.asaql.strategies.job_query import job_query
    from fraudstream.asaql.strategies.python_functions import require_python_allowed

    try:
        query = job_query(named(settings.project))
        require_python_allowed(query, is_allowed=settings.query_python)
        if settings.scoring == "remote":
            query.require_remote()
    except FraudstreamError as error:
        return Check("query", False, "the stream job cannot run it", str(error))
    ways: dict[str, list[str]] = {}
    for output in query.outputs:
        ways.setdefault(output.told, []).append(output.name)
    return Check("query", True, "; ".join(f"{', '.join(names)} {told}" for told, names in ways.items()))


def _python(_: Settings) -> Check:
    version = ".".join(map(str, sys.version_info[:3]))
    return Check("Python", sys.version_info[:2] >= LEAST_PYTHON, version, "Install Python 3.11 or newer.")


def _java(_: Settings) -> Check:
    try:
        java = find_java()
    except JavaMissing as error:
        return Check("Java", False, "none", str(error))
    return Check("Java", True, f"{java.version} at {java.home}")


def _memory(_: Settings) -> Check:
    total = psutil.virtual_memory().total
    advice = "The parts need about 2.5 GB beside everything else that runs; close something or use a larger machine."
    return Check("memory", total >= LEAST_MEMORY_BYTES, f"{total / 1e9:.1f} GB", advice)


def _disk(name: str, folder: Path, variable: str) -> Check:
    free = shutil.disk_usage(folders.nearest(folder)).free
    advice = f"Free {LEAST_DISK_BYTES / 1e9:.0f} GB, or set {variable} to a folder on another disk."
    return Check(name, free >= LEAST_DISK_BYTES, f"{free / 1e9:.1f} GB free for {folder}", advice)


def _artifacts(_: Settings) -> Check:
    missing = [artifact for group in artifacts.GROUPS for artifact in artifacts.missing(group)]
    cache = artifacts.cache_dir()
    if missing and not folders.writable(cache):
        detail = f"{len(missing)} files are missing, and {cache} cannot be written to"
        advice = f"Let this user write there, or set {artifacts.CACHE_VARIABLE} to another folder."
        return Check("artifacts", False, detail, advice)
    # What is missing is fetched when a part starts that needs it: worth knowing before going offline, and no failure.
    detail = f"{len(missing)} files are fetched when they are needed" if missing else "all cached, usable offline"
    return Check("artifacts", True, f"{detail} ({cache})")


def _store(settings: Settings) -> Check:
    mongod = documentstore.find_mongod(settings)
    return Check("document store", True, f"mongod at {mongod}" if mongod else "embedded")


def _leftovers(settings: Settings) -> Check:
    try:
        pid = lifecycle.running_supervisor(settings)
    except ConfigurationError as error:
        return Check("supervisor", False, "may run: this user cannot tell", str(error))
    if pid is not None:
        return Check("supervisor", True, f"running, process {pid}")
    stale = read_state(settings.data_dir.resolve()) is not None
    advice = "A supervisor was killed; `fraudstream down` cleans up after it, and so does the next `fraudstream up`."
    return Check("supervisor", not stale, "killed without stopping its parts" if stale else "not running", advice)


def _ports(settings: Settings) -> Check:
    try:
        if lifecycle.is_running(settings):
            return Check("ports", True, "in use by the running parts")
        from fraudstream.runtime.parts.local import local_parts

        parts = local_parts(settings)
        preflight.check_ports(parts, settings.bind_host, preflight.port_variables(settings))
    except PortTaken as error:
        return Check("ports", False, "taken", str(error))
    except JavaMissing:
        return Check("ports", True, "not looked at: the parts need Java first")
    except ConfigurationError as error:
        return Check("ports", False, "not looked at: the parts cannot be started", str(error))
    return Check("ports", True, "free: " + ", ".join(str(port) for part in parts for port in part.ports))
