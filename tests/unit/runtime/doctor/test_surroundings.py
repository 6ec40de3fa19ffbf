"""What doctor says about the environment: each thing by its variable, and what to do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import trustme

from fraudstream.core.configuration.settings import Settings
from fraudstream.core.errors import ConfigurationError
from fraudstream.runtime.doctor.check import Check
from fraudstream.runtime.doctor.surroundings import checks, scripts
from fraudstream.runtime.parts import artifacts, kafka_broker
from fraudstream.runtime.parts.folder_names import check_folders

pytestmark = pytest.mark.timeless

SCRIPT = """
import json, pathlib, sys
from fraudstream.core.process.environment import adopt
adopt()
from fraudstream.core.configuration.settings import load_settings
from fraudstream.runtime.doctor.surroundings import checks
print(json.dumps({one.name: [one.ok, one.detail, one.advice] for one in checks(load_settings())}))
"""


def seen(folder: Path, **given: str) -> dict[str, Any]:
    """What a command that starts in such an environment finds."""
    base = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    whole = base | {"FRAUDSTREAM_DATA_DIR": str(folder / "data")} | given
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, env=whole, cwd=folder, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_a_usual_environment_is_in_order(tmp_path: Path) -> None:
    by_name = {check.name: check for check in checks(Settings(data_dir=tmp_path))}
    assert [check for check in by_name.values() if not check.ok] == []
    assert by_name.keys() == {
        *("variables", "proxy", "certificates", "user", "home", "temporary folder", "folders", "scripts")
    }


def test_variables_of_other_programs_are_named(tmp_path: Path) -> None:
    report = seen(tmp_path, SPARK_HOME="/opt/spark", PYTHONPATH="/opt/spark/python", MLFLOW_RUN_ID="x", EDITOR="vi")
    assert report["variables"][:2] == [True, "set for other programs, ignored: MLFLOW_RUN_ID, PYTHONPATH, SPARK_HOME"]
    report = seen(tmp_path, MLFLOW_HTTP_REQUEST_TIMEOUT="0", FRAUDSTREM_KAFKA_PORT="1", OMP_NUM_THREADS="0")
    assert report["variables"][1].endswith("ignored: MLFLOW_HTTP_REQUEST_TIMEOUT, OMP_NUM_THREADS")


def test_proxies_are_named_and_those_that_no_client_takes(tmp_path: Path) -> None:
    assert seen(tmp_path, HTTPS_PROXY="http://proxy:3128")["proxy"][1].startswith("https_proxy, for what leaves")
    ok, detail, advice = seen(tmp_path, all_proxy="socks4://user:hush@proxy:1")["proxy"]  # pragma: allowlist secret
    assert not ok
    assert "all_proxy" in detail
    assert "all_proxy" in advice
    assert "hush" not in detail + advice


@pytest.mark.parametrize(
    ("name", "place"),
    [("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem"), ("SSL_CERT_FILE", "/etc"), ("SSL_CERT_FILE", "cut.pem")],
)
def test_certificates_that_cannot_be_read_are_named(tmp_path: Path, name: str, place: str) -> None:
    (tmp_path / "cut.pem").write_text("-----BEGIN CERTIFICATE-----\nMIIB")
    ok, detail, advice = seen(tmp_path, **{name: place})["certificates"]
    assert not ok
    assert name in detail
    assert name in advice


def test_relative_paths_that_are_made_whole_are_not_called_replaced(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_bytes(trustme.CA().cert_pem.bytes())
    (tmp_path / "t").mkdir()
    report = seen(tmp_path, SSL_CERT_FILE="ca.pem", SSL_CERT_DIR="t:t", TMPDIR="t")
    assert report["certificates"][:2] == [True, "those that SSL_CERT_FILE, SSL_CERT_DIR name"]
    assert report["temporary folder"][:2] == [True, str(tmp_path / "t")]


@pytest.mark.parametrize("home", ["/proc", "/proc/nowhere", ""])
def test_a_home_that_cannot_be_used_is_replaced_below_the_data(tmp_path: Path, home: str) -> None:
    ok, detail, _ = seen(tmp_path, HOME=home)["home"]
    assert ok
    if home or not Path.home().is_dir():
        assert str(tmp_path / "data" / "home") in detail


def test_a_temporary_folder_that_does_not_exist_is_replaced(tmp_path: Path) -> None:
    ok, detail, _ = seen(tmp_path, TMPDIR="/nowhere/tmp")["temporary folder"]
    assert ok
    assert detail.endswith("instead of the one that TMPDIR names")


@pytest.mark.parametrize("name", ["a:b", "line\nend", "bell\a", "\udcff", "soft\xadhyphen\x85"])
def test_a_folder_that_java_cannot_be_told_is_named_with_its_character(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="FRAUDSTREAM_DATA_DIR names it") as caught:
        check_folders(Settings(data_dir=tmp_path / name))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["données José", "Doe, Jane", "50%25 #1", "o'neil (1)", 'a"b', "a$b;c!d=e&f[1]{2}", "日本 🙂", "~", "*?"]
)
def test_other_names_are_taken(tmp_path: Path, name: str) -> None:
    check_folders(Settings(data_dir=tmp_path / name))
    kafka_broker.part(Settings(data_dir=tmp_path / name))


def test_the_cache_folder_is_checked_by_its_own_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(artifacts.CACHE_VARIABLE, str(tmp_path / "a:b"))
    with pytest.raises(ConfigurationError, match="FRAUDSTREAM_CACHE_DIR names it"):
        check_folders(Settings(data_dir=tmp_path))


def test_without_a_home_the_cache_lies_below_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(artifacts.CACHE_VARIABLE, raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("FRAUDSTREAM_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("HOME", "/proc")
    assert artifacts.cache_dir() == tmp_path / "cache"
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    assert (tmp_path / "home") in artifacts.cache_dir().parents


def test_scripts_that_windows_wrote_are_named(tmp_path: Path) -> None:
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "good.sh").write_bytes(b"echo\n")
    assert scripts(tmp_path) == Check("scripts", True, "lines end in LF", scripts(tmp_path).advice)
    (tmp_path / "docker" / "bad.sh").write_bytes(b"echo\r\n")
    check = scripts(tmp_path)
    assert not check.ok
    assert "docker/bad.sh" in check.detail
    assert "git reset --hard" in check.advice
