"""A rehearsal runs the unchanged services: their commands are the local ones, and only the environment differs."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from fraudstream.cloud.rehearsal import environment
from fraudstream.cloud.rehearsal.endpoints import Endpoints
from fraudstream.cloud.rehearsal.environment import Keys, Plan, Ports
from fraudstream.cloud.rehearsal.net import certificates
from fraudstream.cloud.rehearsal.outcome import leaks
from fraudstream.cloud.rehearsal.parts import Processes
from fraudstream.core.configuration.required import missing
from fraudstream.runtime.parts import local as runtime_parts
from fraudstream.runtime.parts.java import spark_environment
from fraudstream.runtime.parts.local import local_parts
from fraudstream.runtime.supervise.part import Part

pytestmark = pytest.mark.timeless

OURS = ("stream", "store", "scoring", "dashboards")
# What tells a process where it is, and is no setting of ours.
TRUST = {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "IDENTITY_ENDPOINT", "IDENTITY_HEADER"}


@pytest.fixture
def keys() -> Keys:
    return Keys.new()


@pytest.fixture
def parts(tmp_path: Path, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Part], dict[str, Part]]:
    """The local parts and those of a rehearsal, by name; no jar is fetched and nothing starts."""
    monkeypatch.setattr(
        "fraudstream.cloud.rehearsal.parts.spark_job_environment",
        lambda settings: runtime_parts.frugal_environment(settings) | spark_environment(),
    )
    plan, ports = Plan(), Ports.free()
    tls = certificates.create(tmp_path / "tls")
    behind = environment.settings_behind(tmp_path / "data")
    front = environment.settings_in_front(tmp_path / "data", keys, ports, tls, plan)
    endpoints = Endpoints(plan, keys, ports, tls, behind, front.scoring_port)
    trust = environment.trust_environment(tls, keys, ports)
    processes = Processes(behind, front, endpoints, tls, trust, dashboards=True)
    local = {part.name: part for part in local_parts(environment.isolated("local", data_dir=tmp_path / "local"))}
    return local, {part.name: part for part in processes.parts}


@pytest.mark.parametrize("name", OURS)
def test_a_service_is_started_by_the_same_command(parts: tuple[dict[str, Part], dict[str, Part]], name: str) -> None:
    local, rehearsed = parts
    assert list(rehearsed[name].command)[1:] == list(local[name].command)[1:]


@pytest.mark.parity("the same code, other settings", "local", "rehearsal")
@pytest.mark.parametrize("name", OURS)
def test_only_the_environment_differs(parts: tuple[dict[str, Part], dict[str, Part]], name: str) -> None:
    local, rehearsed = parts
    given, before = dict(rehearsed[name].env), dict(local[name].env)
    assert given["FRAUDSTREAM_PROFILE"] == "azure"
    assert before["FRAUDSTREAM_PROFILE"] == "local"
    other = {key for key in given.keys() | before.keys() if given.get(key) != before.get(key)}
    foreign = {key for key in other if not key.startswith("FRAUDSTREAM_")} - TRUST
    # What Spark needs is in a local job's environment as well, and means nothing to the other services.
    assert foreign <= set(spark_environment())


def test_the_rehearsed_settings_are_a_complete_azure_profile(tmp_path: Path, keys: Keys) -> None:
    ports = Ports.free()
    tls = certificates.create(tmp_path / "tls")
    front = environment.settings_in_front(tmp_path, keys, ports, tls, Plan())
    assert front.profile == "azure"
    assert front.secrets_required
    assert missing(front) == []
    assert front.kafka_security_protocol == "SASL_SSL"
    assert front.kafka_sasl_username == "$ConnectionString"


def test_no_service_knows_of_the_rehearsal(project_root: Path) -> None:
    """Neither an import nor a word: a service that knew would be another one than the one that goes to Azure."""
    files = [
        file
        for root in ("services", "generator", "ml", "dashboards")
        for file in (project_root / root / "fraudstream").rglob("*.py")
        if "cloud" not in file.parts
    ]
    assert len(files) > 50
    mentions = [str(file) for file in files if re.search(r"(?i)rehears", _code(file))]
    assert mentions == []


def _code(file: Path) -> str:
    """A module without its docstrings and comments."""
    return ast.unparse(_without_docstrings(ast.parse(file.read_text("utf-8"))))


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            node.body = node.body[1:] or [ast.Pass()]
    return tree


def test_a_secret_in_any_log_is_found_however_it_is_written(tmp_path: Path, keys: Keys) -> None:
    logs = tmp_path / "logs"
    (logs / "deep").mkdir(parents=True)
    (logs / "clean.log").write_text("nothing here\n")
    (logs / "plain.log").write_text(f"password={keys.namespace[0]}\n")
    encoded = next(secret for secret in keys.everything() if "%" in secret)
    (logs / "deep" / "encoded.log").write_text(f"mongodb://a:{encoded}@b\n")
    assert leaks(logs, keys.everything()) == ["encoded.log", "plain.log"]
    for secret in (*keys.namespace, *keys.account, *keys.endpoint, keys.identity_header, keys.client_secret):
        assert secret in keys.everything()
