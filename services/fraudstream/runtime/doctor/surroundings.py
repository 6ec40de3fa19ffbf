"""What ``fraudstream doctor`` looks at around the parts: variables, proxies, user, home, folders, the clone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import ConfigurationError
from fraudstream.core.process import certificates, environment, places, proxies
from fraudstream.runtime.doctor.check import Check
from fraudstream.runtime.parts import artifacts
from fraudstream.runtime.parts.folder_names import check_folders

_ROOT = Path(__file__).parents[4]
# In a clone: what runs outside of Python.
_SCRIPTS = (".ci/run", "docker/*.sh", "azure/*.sh")


def checks(settings: Settings) -> Iterator[Check]:
    """One check each; none of them changes anything or raises."""
    left_out = environment.left_out()
    yield _variables(left_out)
    yield _proxy(left_out)
    yield _certificates(left_out)
    yield _user()
    yield _home(settings)
    yield _temporary(settings)
    yield _folders(settings)
    if (_ROOT / "docker" / "answers.sh").exists():
        yield scripts(_ROOT)


def _variables(left_out: list[str]) -> Check:
    apart = {*certificates.VARIABLES, "HOME", "TMPDIR"}
    others = [name for name in left_out if name not in apart and name.lower() not in proxies.VARIABLES]
    detail = f"set for other programs, ignored: {', '.join(others)}" if others else "none of other programs"
    return Check("variables", True, detail)


def _proxy(left_out: list[str]) -> Check:
    wrong = [name for name in left_out if name.lower() in proxies.VARIABLES and name.lower() not in os.environ]
    if wrong:
        advice = f"Correct or unset {', '.join(wrong)}: http, https, socks5 and socks5h are understood, as scheme://host:port."
        return Check("proxy", False, f"ignored, no usable address: {', '.join(wrong)}", advice)
    names = [name for name in proxies.VARIABLES if os.environ.get(name)]
    detail = f"{', '.join(names)}, for what leaves this machine; our own parts are asked directly" if names else "none"
    return Check("proxy", True, detail)


def _certificates(left_out: list[str]) -> Check:
    wrong = [name for name in certificates.VARIABLES if name in left_out]
    if wrong:
        advice = (
            f"Let {', '.join(wrong)} name a whole, readable file of certificates (PEM), any but SSL_CERT_FILE also a "
            "folder; or unset it."
        )
        return Check("certificates", False, f"ignored, nothing can be read there: {', '.join(wrong)}", advice)
    names = [name for name in certificates.VARIABLES if os.environ.get(name)]
    return Check("certificates", True, f"those that {', '.join(names)} name" if names else "the system's")


def _user() -> Check:
    known = places.known_user()
    number = os.getuid() if hasattr(os, "getuid") else 0
    detail = known or f"id {number}, which the system has no name for; runs as {environment.made(os.environ)['USER']}"
    return Check("user", True, detail)


def _home(settings: Settings) -> Check:
    home = os.environ.get("HOME", "")
    if os.path.isabs(home) and places.writable(Path(home)) and "HOME" not in environment.left_out():  # noqa: PTH117
        return Check("home", True, home)
    instead = settings.data_dir.absolute() / "home"
    return Check(
        "home",
        True,
        f"HOME {'cannot be written to' if home else 'is not set'}: {instead} and the cache "
        f"{artifacts.cache_dir()} are used",
    )


def _temporary(settings: Settings) -> Check:
    chosen = Path(_with_data_dir(settings).get("TMPDIR", ""))
    advice = "Set TMPDIR to a folder with some free space on a file system that lets programs run."
    if problem := places.temporary_problem(chosen):
        return Check("temporary folder", False, f"{chosen} {problem}", advice)
    replaced = " instead of the one that TMPDIR names" if "TMPDIR" in environment.left_out() else ""
    return Check("temporary folder", True, f"{chosen}{replaced}")


def _folders(settings: Settings) -> Check:
    try:
        check_folders(settings)
    except ConfigurationError as error:
        return Check("folders", False, "one cannot be used", str(error))
    return Check("folders", True, "usable")


def scripts(root: Path) -> Check:
    """Whether the scripts of a clone end their lines as shells need it."""
    files = sorted(file for pattern in _SCRIPTS for file in root.glob(pattern))
    wrong = [str(file.relative_to(root)) for file in files if b"\r\n" in file.read_bytes()]
    advice = "Make the clone's files anew: git rm --cached -r -q . && git reset --hard"
    detail = f"lines end in CR LF, as Windows writes them: {', '.join(wrong)}" if wrong else "lines end in LF"
    return Check("scripts", not wrong, detail, advice)


def _with_data_dir(settings: Settings) -> dict[str, str]:
    return environment.made(environment.with_data_dir(settings.data_dir))
