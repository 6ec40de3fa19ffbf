"""No secret stands in the repository, in what is tracked now and in what ever was."""

from __future__ import annotations

import base64
import hashlib
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from detect_secrets import SecretsCollection
from detect_secrets.core.potential_secret import PotentialSecret
from detect_secrets.settings import transient_settings

from tests.azure import COSMOS_KEY, SAS_KEY

pytestmark = pytest.mark.timeout(300)

_DETECTORS = (
    *("AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "Base64HighEntropyString"),
    *("GitHubTokenDetector", "GitLabTokenDetector", "HexHighEntropyString", "JwtTokenDetector", "KeywordDetector"),
    *("NpmDetector", "PrivateKeyDetector", "PypiTokenDetector", "SlackDetector"),
)
_LIMITS = {"Base64HighEntropyString": 4.5, "HexHighEntropyString": 3.0}
_FILTERS = (
    "allowlist.is_line_allowlisted",
    "heuristic.is_indirect_reference",
    "heuristic.is_potential_uuid",
    "heuristic.is_prefixed_with_dollar_sign",
    "heuristic.is_sequential_string",
    "heuristic.is_templated_secret",
)
# The services' own forms, which scanners do not know: a policy's key, an account's key inside an address.
_AZURE = (
    re.compile(r"SharedAccessKey=(?P<key>[A-Za-z0-9+/]{43}=)"),
    re.compile(r"AccountKey=(?P<key>[A-Za-z0-9+/]{86}==)"),
    re.compile(r"mongodb(?:\+srv)?://[^:/@\s]+:(?P<key>[A-Za-z0-9%+/=_-]{40,})@"),
)
# Words of tests and names of secrets. No key of a service is as short as this.
_WEAK = ("Secret Keyword", "Basic Auth Credentials")
_SHORTEST_KEY = 24
# Contents that look like keys and are checksums, and the key of Cosmos DB's emulator, which is public, in two halves.
_CHECKSUMS = ("uv.lock", "artifacts.lock.json")
# plotly-basic.min.js 4.1.1, which others published, by its SHA-256; in groups, so that it looks like no key itself.
_PUBLISHED = {"99784e3a-bfb07b14-2a15e521-a439e6d9-addceadb-3f79553f-d24c7277-4f0649ba".replace("-", "")}
_PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode().rstrip("=")[:10]
_PUBLIC = {"C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9n", "DuVTqobD4b8mGGyPMbIZnqyMsEcaGQy67XIw/Jw=="}


def git(project: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(project), *words], capture_output=True, check=True)
    return done.stdout.decode("utf-8", "replace")


def secrets_in(files: Sequence[Path]) -> Iterator[tuple[str, PotentialSecret]]:
    plugins = [{"name": name} | ({"limit": _LIMITS[name]} if name in _LIMITS else {}) for name in _DETECTORS]
    filters = [{"path": f"detect_secrets.filters.{name}"} for name in _FILTERS]
    with transient_settings({"plugins_used": plugins, "filters_used": filters}):
        collection = SecretsCollection()
        for file in files:
            collection.scan_file(str(file))
        yield from list(collection)


def is_harmless(secret: PotentialSecret) -> bool:
    # Of a connection string the key alone counts.
    value = (secret.secret_value or "").rpartition("SharedAccessKey=")[2]
    # A notebook keeps its pictures as text.
    return value in _PUBLIC or (secret.type in _WEAK and len(value) < _SHORTEST_KEY) or value.startswith(_PICTURE)


def azure_keys_in(text: str) -> set[str]:
    return {match["key"] for pattern in _AZURE for match in pattern.finditer(text)}


@pytest.mark.parity("no secret in files, logs or output", "local", "compose", "rehearsal", "azure")
def test_no_secret_is_tracked(project_root: Path) -> None:
    names = [name for name in git(project_root, "ls-files", "-co", "--exclude-standard").splitlines() if name]
    files = [project_root / name for name in names if not name.endswith(_CHECKSUMS)]
    files = [file for file in files if file.is_file() and b"\0" not in file.read_bytes()[:1_024]]
    assert len(files) > 200
    own = [file for file in files if hashlib.sha256(file.read_bytes()).hexdigest() not in _PUBLISHED]
    assert len(own) == len(files) - len(_PUBLISHED)
    leaks = [
        f"{Path(name).relative_to(project_root)}:{secret.line_number} {secret.type}"
        for name, secret in secrets_in(own)
        if not is_harmless(secret)
    ]
    assert leaks == []
    assert [str(file) for file in files if azure_keys_in(file.read_text("utf-8", "replace"))] == []


def test_no_azure_key_ever_was(project_root: Path) -> None:
    assert azure_keys_in(git(project_root, "log", "-p", "--no-color", "--unified=0")) == set()


@pytest.mark.parametrize(
    "planted",
    [
        "-----BEGIN RSA " + "PRIVATE KEY-----",
        f'key = "{base64.b64encode(bytes(range(7, 55))).decode()}"',
        "AccountKey=" + base64.b64encode(bytes(range(64))).decode(),
        'password = "' + "a-long-password-of-somebody" + '"',
        "token: " + "ghp_" + "0aB" * 12,
    ],
)
def test_a_secret_would_be_found(tmp_path: Path, planted: str) -> None:
    file = tmp_path / "settings.py"
    file.write_text(planted + "\n", "utf-8")
    assert [secret.type for _, secret in secrets_in([file]) if not is_harmless(secret)]


def test_the_services_own_keys_would_be_found() -> None:
    texts = [f"SharedAccessKey={SAS_KEY}", f"AccountKey={COSMOS_KEY}", f"mongodb://a:{COSMOS_KEY}@host:10255/"]
    assert [azure_keys_in(text) for text in texts] == [{SAS_KEY}, {COSMOS_KEY}, {COSMOS_KEY}]


def test_environment_files_are_never_tracked(project_root: Path) -> None:
    assert git(project_root, "check-ignore", ".env").strip() == ".env"
    assert git(project_root, "ls-files", "*.env", "*.pem", "*.key", "*.pfx") in ("", "docker/no-ca-bundle.pem\n")
