"""Microsoft's and others' own tools over `azure/`: checkov on the templates, Azure ML's SDK on its YAML.

They bring dozens of packages that nothing else here needs, so that each runs in an environment of its own, made by uv.
Where that cannot be made (no network, nothing cached) the tests are skipped, unless ``CI`` or ``REQUIRE_TOOLS`` is set.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.missing import skip_without

pytestmark = pytest.mark.timeout(600)

CHECKOV = "checkov==3.3.30"
AZURE_ML = "azure-ai-ml==1.35.0"
_LOAD = """
import json, sys
from azure.ai.ml import load_online_deployment, load_online_endpoint
answers = []
for name in sys.argv[1:]:
    load = load_online_endpoint if "endpoint" in name else load_online_deployment
    try:
        answers.append(type(load(name)).__name__)
    except Exception as error:
        answers.append(f"refused: {error}")
print(json.dumps(answers))
"""


def run(package: str, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """A command in an environment with ``package``."""
    uv = shutil.which("uv")
    if uv is None:
        skip_without("uv", "https://docs.astral.sh/uv/")
    # Of a frozen project this environment is none.
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("UV_FROZEN", "VIRTUAL_ENV"))
    }
    base = [str(uv), "run", "--no-project", "--isolated", "--quiet", "--with", package]
    probe = subprocess.run(
        [*base, "python", "-c", ""], env=environment, capture_output=True, text=True, timeout=400, check=False
    )
    if probe.returncode:
        skip_without(package, "uv fetches it from the package index", detail=probe.stderr[-300:])
    return subprocess.run(
        [*base, *words], env=environment, cwd=cwd, capture_output=True, text=True, timeout=400, check=False
    )


def test_checkov_finds_nothing_in_the_templates_and_sees_an_open_door(project_root: Path, tmp_path: Path) -> None:
    """Beside the templates stands a copy of one that somebody has loosened: the same scan has to find it."""
    azure = project_root / "azure"
    shutil.copytree(azure, tmp_path / "azure")
    text = (azure / "modules" / "apps.bicep").read_text("utf-8")
    assert "supportsHttpsTrafficOnly: true" in text
    loosened = text.replace("supportsHttpsTrafficOnly: true", "supportsHttpsTrafficOnly: false")
    (tmp_path / "loosened.bicep").write_text(loosened, "utf-8")
    config = str(azure / "checkov.yaml")
    done = run(CHECKOV, "checkov", "--directory", str(tmp_path), "--config-file", config, "--output", "json")
    report: dict[str, Any] = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0, "a template that checkov cannot read is not checked"
    failed = [(Path(check["file_path"]).name, check["check_id"]) for check in report["results"]["failed_checks"]]
    assert failed == [("loosened.bicep", "CKV_AZURE_3")]
    assert report["summary"]["passed"] > 20


def test_every_check_that_is_left_out_says_why(project_root: Path) -> None:
    text = (project_root / "azure" / "checkov.yaml").read_text("utf-8")
    left_out = yaml.safe_load(text)["skip-check"]
    lines = text[text.index("skip-check:") :].splitlines()[1:]
    assert lines[0].lstrip().startswith("# ")
    assert len(left_out) == len(set(left_out)) == sum(line.lstrip().startswith("- ") for line in lines)


@pytest.mark.parity("scoring over HTTP with a bearer key", "azure")
def test_azure_mls_own_schema_takes_the_files_and_no_misspelt_field(project_root: Path, tmp_path: Path) -> None:
    folder = project_root / "azure" / "azureml"
    content = (folder / "deployment.yml").read_text("utf-8")
    misspelt = tmp_path / "deployment.yml"
    misspelt.write_text(content.replace("request_timeout_ms", "request_timeout_millis"), "utf-8")
    files = [folder / "endpoint.yml", folder / "deployment.yml", misspelt]
    done = run(AZURE_ML, "python", "-c", _LOAD, *map(str, files))
    assert done.returncode == 0, done.stderr[-2_000:]
    endpoint, deployment, refused = json.loads(done.stdout.splitlines()[-1])
    assert (endpoint, deployment) == ("ManagedOnlineEndpoint", "ManagedOnlineDeployment")
    assert refused.startswith("refused: ")
    assert "request_timeout_millis" in refused
