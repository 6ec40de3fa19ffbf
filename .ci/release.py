"""Make a release in ``dist/VERSION``: build, check, list what it is made of, and sign. Nothing is uploaded.

``python .ci/release.py --key FILE``, in a clone whose tree is clean; FILE is a private key of OpenSSH. The signature is
OpenSSH's own (``ssh-keygen -Y``): it needs no network and no key server, Git signs commits in the same way, and whoever
has OpenSSH has the program that verifies it. docs/how-to/release.md has the steps around it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

from packaging.metadata import Metadata

SUMS = "SHA256SUMS"
NAMESPACE = "file"
# What a wheel is for running, a source archive for building and testing.
WHEEL_LACKS = ("fraudstream/bench/", "benchmarks/", "docs/", "tests/", "azure/")
SDIST_HAS = ("azure/", "benchmarks/", "docs/", "services/jvm/", "tests/", "uv.lock")


class ReleaseRefused(Exception):
    """The release cannot be made; the message says what is wrong and what to do."""


def run(*words: str | Path, folder: Path, stdin: Path | None = None) -> str:
    """A command's stdout. Raises :class:`ReleaseRefused` when it fails; its stderr is shown as it comes."""
    source = stdin.open("rb") if stdin else None
    try:
        done = subprocess.run(words, cwd=folder, stdin=source, stdout=subprocess.PIPE, text=True, check=False)
    except FileNotFoundError:
        raise ReleaseRefused(f"{words[0]} is not installed.") from None
    finally:
        if source:
            source.close()
    if done.returncode:
        raise ReleaseRefused(f"`{' '.join(map(str, words))}` failed with status {done.returncode}.")
    return done.stdout


def version_of(project: Path) -> str:
    """The version that pyproject.toml names, once CHANGELOG.md has it as its newest one with a date."""
    version = str(tomllib.loads((project / "pyproject.toml").read_text("utf-8"))["project"]["version"])
    sections = re.findall(r"(?m)^## \[(\d[^\]]*)\](.*)$", (project / "CHANGELOG.md").read_text("utf-8"))
    newest, date = sections[0] if sections else ("no version", "")
    if newest != version:
        raise ReleaseRefused(
            f"pyproject.toml has version {version}, and the newest section of CHANGELOG.md is {newest}. "
            f"Add the section `## [{version}] - DATE`, or correct the version."
        )
    if not re.fullmatch(r" - \d{4}-\d{2}-\d{2}", date):
        raise ReleaseRefused(f"The section of {version} in CHANGELOG.md has no date. Write `## [{version}] - DATE`.")
    return version


def check_tree(project: Path) -> None:
    """Raises :class:`ReleaseRefused` when files differ from the last commit: nobody could build the same again."""
    changed = run("git", "status", "--porcelain", folder=project).splitlines()
    if changed:
        names = ", ".join(line[3:] for line in changed[:5])
        raise ReleaseRefused(f"The tree is not clean: {names}. Commit or remove them.")


def check_metadata(text: bytes, archive: str, version: str) -> None:
    """Raises :class:`ReleaseRefused` when an index would refuse the metadata, or when they are of another version."""
    try:
        metadata = Metadata.from_email(text, validate=True)
    except ExceptionGroup as group:
        problems = "; ".join(str(problem) for problem in group.exceptions)
        raise ReleaseRefused(f"{archive} has metadata that an index refuses: {problems}.") from group
    if (metadata.name, str(metadata.version)) != ("fraudstream", version):
        raise ReleaseRefused(f"{archive} is {metadata.name} {metadata.version}, not fraudstream {version}.")
    if not metadata.description or metadata.description_content_type != "text/markdown":
        raise ReleaseRefused(f"{archive} has no description in Markdown, which an index shows as the project's page.")


def check_wheel(wheel: Path, version: str, project: Path) -> None:
    """Raises :class:`ReleaseRefused` when the wheel holds too much or too little."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        check_metadata(archive.read(f"fraudstream-{version}.dist-info/METADATA"), wheel.name, version)
    if extra := sorted(name for name in names if name.startswith(WHEEL_LACKS)):
        raise ReleaseRefused(f"{wheel.name} holds {extra[0]}, which belongs to a clone alone.")
    packages = {name.split("/")[1] for name in names if name.startswith("fraudstream/") and name.endswith(".py")}
    typed = {f"fraudstream/{package}/py.typed" for package in packages}
    data = {
        f"fraudstream/{folder.name}/{file.relative_to(folder).as_posix()}"
        for folder, pattern in ((project / "services" / "jvm", "*.java"), (project / "projects", "*.*"))
        for file in folder.rglob(pattern)
    }
    licences = {f"fraudstream-{version}.dist-info/licenses/{name}" for name in ("LICENSE", "NOTICE")}
    if lacking := sorted((typed | data | licences) - names):
        raise ReleaseRefused(f"{wheel.name} lacks {lacking[0]}.")


def check_sdist(sdist: Path, version: str) -> None:
    """Raises :class:`ReleaseRefused` when the source archive lacks what building and testing need."""
    root = f"fraudstream-{version}/"
    with tarfile.open(sdist) as archive:
        names = [name.removeprefix(root) for name in archive.getnames()]
        info = archive.extractfile(f"{root}PKG-INFO")
        check_metadata(info.read() if info else b"", sdist.name, version)
    for wanted in SDIST_HAS:
        if not any(name.startswith(wanted) for name in names):
            raise ReleaseRefused(f"{sdist.name} lacks {wanted}. See `include` in pyproject.toml.")


def write_sbom(project: Path, file: Path) -> None:
    """Write which packages, at which locked versions, the release runs with; raises :class:`ReleaseRefused`."""
    words = ["uv", "export", "--quiet", "--frozen", "--no-dev", "--all-extras"]
    words += ["--preview-features", "sbom-export", "--format", "cyclonedx1.5"]
    text = run(*words, folder=project)
    if not json.loads(text).get("components"):
        raise ReleaseRefused("uv's list of components is empty.")
    file.write_text(text, "utf-8")


def write_sums(folder: Path) -> Path:
    """Write the checksums of all files of the folder, in the form that ``sha256sum --check`` reads."""
    files = sorted(file for file in folder.iterdir() if file.is_file())
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    sums = folder / SUMS
    sums.write_text("".join(lines), "ascii")
    return sums


def release(project: Path, key: Path, say: Callable[[str], object]) -> Path:
    """Make the release and return its folder. Raises :class:`ReleaseRefused`."""
    if not key.is_file():
        raise ReleaseRefused(f"There is no key {key}. `ssh-keygen -t ed25519 -f FILE` makes one.")
    check_tree(project)
    version = version_of(project)
    folder = project / "dist" / version
    shutil.rmtree(folder, ignore_errors=True)
    say(f"building fraudstream {version}")
    run("uv", "build", "--quiet", "--out-dir", folder, folder=project)
    (folder / ".gitignore").unlink(missing_ok=True)
    say("checking the archives")
    check_wheel(folder / f"fraudstream-{version}-py3-none-any.whl", version, project)
    check_sdist(folder / f"fraudstream-{version}.tar.gz", version)
    write_sbom(project, folder / f"fraudstream-{version}.cdx.json")
    say("signing the checksums")
    sums = write_sums(folder)
    run("ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", NAMESPACE, sums, folder=project)
    signers = folder / "allowed_signers"
    public = run("ssh-keygen", "-y", "-f", key, folder=project).split()
    signers.write_text(f"fraudstream {public[0]} {public[1]}\n", "ascii")
    return folder


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog=".ci/release.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--key", type=Path, required=True, help="the private key that signs, of OpenSSH")
    options = parser.parse_args(arguments)
    project = Path.cwd()
    try:
        folder = release(project, options.key.expanduser().absolute(), lambda line: sys.stderr.write(f"{line}\n"))
    except ReleaseRefused as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    sys.stdout.write(
        f"""{folder.relative_to(project)} holds the release. Whoever has its files verifies them there:

  ssh-keygen -Y verify -f allowed_signers -I fraudstream -n {NAMESPACE} -s {SUMS}.sig < {SUMS}
  sha256sum --check {SUMS}

`allowed_signers` names the public key. Publish that key where your users look for it, not beside the files alone.
"""
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
