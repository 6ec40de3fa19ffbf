"""`just release` in a clone: archives that are checked, their list of components, and a signature that is verified."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.missing import skip_without

pytestmark = [pytest.mark.system, pytest.mark.timeless]

VERIFY = "ssh-keygen -Y verify -f allowed_signers -I fraudstream -n file -s SHA256SUMS.sig < SHA256SUMS"
CHECK = "sha256sum --check --quiet SHA256SUMS"


def shell(text: str, folder: Path, *, fails: bool = False) -> str:
    """What the command says. Asserts that it fails, or that it does not."""
    done = subprocess.run(["bash", "-c", text], cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert bool(done.returncode) == fails, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("ssh-keygen") is None:
        skip_without("ssh-keygen", "apt-get install openssh-client")
    file = tmp_path_factory.mktemp("key") / "release"
    shell(f"ssh-keygen -q -t ed25519 -N '' -f {file}", file.parent)
    return file


@pytest.fixture
def clone(project_root: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    shell(f"git clone -q --depth 1 {project_root.as_uri()} {folder}", tmp_path)
    return folder


def release(clone: Path, key: Path, project_root: Path, *, fails: bool = False) -> str:
    return shell(f"{sys.executable} {project_root}/.ci/release.py --key {key}", clone, fails=fails)


def test_a_release_is_verified_and_a_changed_byte_is_noticed(clone: Path, key: Path, project_root: Path) -> None:
    output = release(clone, key, project_root)
    assert VERIFY in output
    (folder,) = (clone / "dist").iterdir()
    version = folder.name
    archives = {f"fraudstream-{version}-py3-none-any.whl", f"fraudstream-{version}.tar.gz"}
    others = {f"fraudstream-{version}.cdx.json", "SHA256SUMS", "SHA256SUMS.sig", "allowed_signers"}
    assert {file.name for file in folder.iterdir()} == archives | others
    sbom = json.loads((folder / f"fraudstream-{version}.cdx.json").read_text("utf-8"))
    assert sbom["bomFormat"] == "CycloneDX"
    assert {"pyspark", "xgboost-cpu"} <= {component["name"] for component in sbom["components"]}
    assert "pytest" not in {component["name"] for component in sbom["components"]}

    shell(VERIFY, folder)
    shell(CHECK, folder)
    assert "dist/" not in shell("git status --porcelain", clone)
    for name, command in ((f"fraudstream-{version}.tar.gz", CHECK), ("SHA256SUMS", VERIFY)):
        file = folder / name
        content = file.read_bytes()
        file.write_bytes(bytes([content[0] ^ 1]) + content[1:])
        shell(command, folder, fails=True)
        file.write_bytes(content)
    shell(f"{VERIFY} && {CHECK}", folder)


def test_a_tree_that_is_not_clean_is_refused(clone: Path, key: Path, project_root: Path) -> None:
    (clone / "new.txt").write_text("new", "ascii")
    assert "The tree is not clean: new.txt." in release(clone, key, project_root, fails=True)


def test_a_version_without_its_section_is_refused(clone: Path, key: Path, project_root: Path) -> None:
    changed = "sed -i 's/^version = .*/version = \"9.9.9\"/' pyproject.toml"
    shell(f"{changed} && git -c user.name=x -c user.email=x@example.com commit -qam 'Change the version'", clone)
    output = release(clone, key, project_root, fails=True)
    assert "pyproject.toml has version 9.9.9" in output
    assert "## [9.9.9] - DATE" in output
    assert not (clone / "dist").exists()


def test_a_missing_key_is_refused(project_root: Path, tmp_path: Path) -> None:
    output = release(tmp_path, tmp_path / "no-key", project_root, fails=True)
    assert output.startswith(f"There is no key {tmp_path}/no-key.")
