"""The templates hold what the code needs: topics, collections, indexes, settings, secrets by reference, identities."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pycep import BicepParser

from fraudstream.asaql.compiling import plan_of
from fraudstream.asaql.export.job import MODULE_FILE, exported
from fraudstream.asaql.project_files.folder import read_project as read_query_project
from fraudstream.core.configuration.required import missing
from fraudstream.core.configuration.settings import ENV_PREFIX, Settings, load_settings
from fraudstream.core.contract.event import FIELD_RULES, PARTITION_KEY
from fraudstream.core.contract.topics import DAY_MS, SCORED, TOPICS
from fraudstream.core.documents.client import COLLECTIONS
from tests.azure import AZURE

# The processes that the templates run.
ROLES = ("stream", "store", "scoring", "mlflow", "dashboards")


@pytest.fixture(scope="module")
def azure(project_root: Path) -> Path:
    return project_root / "azure"


@pytest.fixture(scope="module")
def bicep(azure: Path) -> dict[str, dict[str, Any]]:
    """Name of the module → what the parser makes of it."""
    files = [azure / "main.bicep", *sorted((azure / "modules").glob("*.bicep"))]
    return {file.stem: BicepParser().parse(file_path=file) for file in files}


@pytest.fixture(scope="module")
def texts(azure: Path) -> dict[str, str]:
    return {file.stem: file.read_text("utf-8") for file in [azure / "main.bicep", *(azure / "modules").glob("*.bicep")]}


def types(bicep: dict[str, dict[str, Any]]) -> set[str]:
    return {resource["type"] for module in bicep.values() for resource in module.get("resources", {}).values()}


@pytest.mark.parity("topics from one table", "azure")
def test_every_topic_is_a_hub_with_its_partitions_and_retention(azure: Path, texts: dict[str, str]) -> None:
    hubs = {hub["name"]: hub for hub in json.loads((azure / "definitions.json").read_text("utf-8"))["hubs"]}
    partitions = load_settings(profile="azure").topic_partitions
    assert hubs.keys() == {topic.name for topic in TOPICS}
    for topic in TOPICS:
        assert hubs[topic.name]["partitions"] == partitions
        assert hubs[topic.name]["retentionHours"] == topic.retention_ms * 24 / DAY_MS
    assert "hubs: concat(definitions.hubs, outputHubs)" in texts["main"]
    assert "definitions.hubs[1]" in texts["main"]
    assert list(hubs)[1] == SCORED
    assert "for one in hubs" in texts["eventhubs"]
    assert "partitionCount: one.partitions" in texts["eventhubs"]
    assert "retentionTimeInHours: one.retentionHours" in texts["eventhubs"]


@pytest.mark.parity("collections and indexes from one table", "azure")
def test_every_collection_has_its_shard_key_indexes_and_ttl(azure: Path, texts: dict[str, str]) -> None:
    collections = {
        definition["name"]: definition
        for definition in json.loads((azure / "definitions.json").read_text("utf-8"))["collections"]
    }
    assert collections.keys() == {collection.name for collection in COLLECTIONS}
    for collection in COLLECTIONS:
        definition = collections[collection.name]
        assert definition["shardKey"] == {collection.shard_key: "Hash"}
        keys = [index["key"]["keys"] for index in definition["indexes"]]
        expected = [["_id"], *([name for name, _ in index] for index in collection.indexes)]
        assert keys == expected + [["_ts"]] * (collection.ttl_days is not None)
        if collection.ttl_days is not None:
            assert definition["indexes"][-1]["options"] == {"expireAfterSeconds": collection.ttl_days * 86_400}
    assert any(collection.ttl_days for collection in COLLECTIONS)
    for line in ("for one in collections", "shardKey: one.shardKey", "indexes: one.indexes"):
        assert line in texts["cosmos"]


def test_everything_that_azure_has_to_hold_is_a_resource(bicep: dict[str, dict[str, Any]]) -> None:
    assert types(bicep) >= {
        "Microsoft.EventHub/namespaces",
        "Microsoft.EventHub/namespaces/eventhubs",
        "Microsoft.DocumentDB/databaseAccounts",
        "Microsoft.DocumentDB/databaseAccounts/mongodbDatabases/collections",
        "Microsoft.MachineLearningServices/workspaces",
        "Microsoft.ContainerRegistry/registries",
        "Microsoft.App/managedEnvironments",
        "Microsoft.App/containerApps",
        "Microsoft.App/jobs",
        "Microsoft.KeyVault/vaults",
        "Microsoft.KeyVault/vaults/secrets",
        "Microsoft.OperationalInsights/workspaces",
        "Microsoft.ManagedIdentity/userAssignedIdentities",
        "Microsoft.Authorization/roleAssignments",
    }


def test_every_module_is_used_and_gets_what_it_asks_for(
    bicep: dict[str, dict[str, Any]], texts: dict[str, str]
) -> None:
    modules = bicep["main"]["modules"]
    files = {name: Path(module["detail"]["path"]).stem for name, module in modules.items()}
    assert set(files.values()) == bicep.keys() - {"main"}
    for name, entry in modules.items():
        asked = bicep[files[name]]["parameters"]
        # A module with a condition has its content one level deeper.
        given = set((entry["config"].get("config") or entry["config"])["params"])
        assert given <= asked.keys()
        assert {wanted for wanted, parameter in asked.items() if parameter["default"] is None} <= given
    # What main passes on from a module has to be an output of it.
    for module, name in re.findall(r"\b(\w+)\.outputs\.(\w+)", texts["main"]):
        assert name in bicep[files[module]]["outputs"], f"{module}.{name}"


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_parameter_files_set_what_the_template_asks_for(
    azure: Path, bicep: dict[str, dict[str, Any]], name: str
) -> None:
    given = json.loads((azure / "parameters" / f"{name}.json").read_text("utf-8"))["parameters"]
    asked = bicep["main"]["parameters"]
    # Secrets, the project and what depends on the endpoint come from deploy.sh.
    by_script = {"scoringKey", "scoringUrl", "dashboardPassword", "services", "project", "furtherHubs"}
    script = (azure / "deploy.sh").read_text("utf-8")
    assert all(parameter in script for parameter in by_script)
    assert set(given) <= set(asked) - by_script
    assert {key for key, parameter in asked.items() if parameter["default"] is None} <= set(given) | by_script
    assert given["eventHubsSku"]["value"] != "Basic"


def test_no_secret_stands_in_a_template_and_secret_parameters_are_secure(
    azure: Path, bicep: dict[str, dict[str, Any]]
) -> None:
    for name, module in bicep.items():
        for parameter, content in module["parameters"].items():
            if re.search(r"(?i)key$|password", parameter):
                assert {"type": "secure"} in [{"type": decorator["type"]} for decorator in content["decorators"]], (
                    name,
                    parameter,
                )
                assert content["default"] is None
        for output in module["outputs"]:
            assert not re.search(r"(?i)password|(?<!s)key|connection", output), (name, output)
    for file in (azure / "parameters").glob("*.json"):
        assert not re.search(r"(?i)key|password|connection", file.read_text("utf-8")), file


@pytest.mark.parity("secrets by reference", "azure")
def test_containers_get_secrets_as_references_to_the_vault(texts: dict[str, str]) -> None:
    apps, vault = texts["apps"], texts["keyvault"]
    secret_settings = {
        f"{ENV_PREFIX}{name.upper()}"
        for name, field in Settings.model_fields.items()
        if "SecretStr" in str(field.annotation)
    }
    entries = dict(re.findall(r"name: '(FRAUDSTREAM_\w+)', (value|secretRef):", apps))
    assert {name for name, kind in entries.items() if kind == "secretRef"} == secret_settings & entries.keys()
    referenced = set(re.findall(r"secretRef: '([\w-]+)'", apps))
    in_vault = set(re.findall(r"vaults/secrets@[\d-]+' = \{\n  parent: vault\n  name: '([\w-]+)'", vault))
    assert referenced == in_vault
    assert "keyVaultUrl: '${vaultUri}secrets/${secret}'" in apps
    assert "identity: one.identity" in apps
    # Each secret has readers of its own: no identity reads the whole vault.
    assert "scope: vault" not in re.sub(r"resource logs.*", "", vault, flags=re.DOTALL)


@pytest.mark.parametrize("role", ROLES)
def test_each_container_gets_the_settings_that_its_process_needs(texts: dict[str, str], role: str) -> None:
    apps = texts["apps"]
    groups = dict(re.findall(r"^var (\w+) = \[\n(.*?)\n\]", apps, re.DOTALL | re.MULTILINE))
    service = re.search(rf"var {role}Service = \{{(.*?)\n\}}", apps, re.DOTALL)
    assert service
    names = re.search(rf"^  {role}: concat\((.*?)\)", apps, re.MULTILINE)
    assert names
    chosen = [groups[name] for name in names[1].split(", ")]
    given = {name for group in chosen for name in re.findall(r"FRAUDSTREAM_(\w+)", group)}
    known = {name.upper() for name in Settings.model_fields}
    assert given <= known
    needs: dict[str, tuple[Any, ...]] = {
        "stream": ("kafka", "scoring"),
        "store": ("kafka", "mongo"),
        "scoring": ("registry", "scoring_key"),
        "mlflow": ("registry",),
        "dashboards": ("mongo", "kafka", "registry"),
    }
    lacking = {setting.name.upper() for setting in missing(load_settings(profile="azure"), needs[role])}
    assert lacking <= given
    assert {"PROFILE", "PROJECT", "DATA_DIR"} <= given
    secrets = set(re.findall(r"secretRef: '([\w-]+)'", "".join(chosen)))
    listed = re.search(r"secrets: \[(.*?)\]", service[1])
    assert listed
    assert set(re.findall(r"'([\w-]+)'", listed[1])) == secrets
    # What listens inside a container has to be reached from outside of it.
    assert ("BIND_HOST" in given) == ("targetPort" in service[1])


def test_no_loop_runs_over_what_is_not_known_beforehand(
    bicep: dict[str, dict[str, Any]], texts: dict[str, str]
) -> None:
    """The compiler refuses a loop over values that only the deployment gives, by way of variables as well."""
    for name, text in texts.items():
        variables = {match[1]: match[2] for match in map(_variable, _statements(text)) if match}
        late = {
            name for name, content in variables.items() if re.search(r"listKeys|\.properties\.|\.outputs\.", content)
        }
        grown = set[str]()
        while late and late != grown:
            grown = late
            known = re.compile(rf"\b({'|'.join(grown)})\b")
            late = grown | {name for name, content in variables.items() if known.search(content)}
        looped = set(re.findall(r"\[\s*for \(?\w+(?:, \w+\))? in (\w+)", text))
        assert looped & late == set(), name


def _statements(text: str) -> list[str]:
    """The template's statements, without comments, and with what stands inside ${} as all that is left of a text."""

    def kept(match: re.Match[str]) -> str:
        return " ".join(re.findall(r"\$\{(.*?)\}", match[0])) if match[0].startswith("'") else ""

    bare = re.sub(r"'[^'\n]*'|//[^\n]*", kept, text)
    return re.split(r"^(?=(?:var|resource|output|module|param|@) ?)", bare, flags=re.MULTILINE)


def _variable(statement: str) -> re.Match[str] | None:
    return re.match(r"var (\w+) = (.*)", statement, re.DOTALL)


def test_ports_and_images_are_those_of_the_code(project_root: Path, texts: dict[str, str]) -> None:
    apps = texts["apps"]
    ports = dict(re.findall(r"var (\w+)Service = \{(?:(?!\n\}).)*?targetPort: (\d+)", apps, re.DOTALL))
    settings = Settings()
    assert {name: int(port) for name, port in ports.items()} == {
        "dashboards": settings.dashboard_port,
        "scoring": settings.scoring_port,
        "mlflow": settings.mlflow_port,
    }
    targets = set(re.findall(r"^FROM \S+ AS (\S+)", (project_root / "Dockerfile").read_text("utf-8"), re.MULTILINE))
    built = re.search(r"images=\((.*?)\)", (project_root / "azure" / "deploy.sh").read_text("utf-8"))
    assert built
    assert set(built[1].split()) == {*ROLES, "bootstrap"}
    assert set(built[1].split()) <= targets
    assert "allowInsecure: true" not in apps


def test_dashboards_are_behind_a_login(texts: dict[str, str]) -> None:
    assert "FRAUDSTREAM_DASHBOARD_AUTH', value: 'basic'" in texts["apps"]


def test_the_address_that_the_vault_gets_passes_the_linter(azure: Path) -> None:
    """The template's connection string with an account's name and key is the one that the linter finds nothing in."""
    from fraudstream.core.configuration.connection_strings import cosmos_mistakes

    template = re.search(r"value: '(mongodb://.*)'", (azure / "modules" / "keyvault.bicep").read_text("utf-8"))
    assert template
    address = template[1].replace("${accountName}", "account")
    address = re.sub(r"\$\{uriComponent\(.*?\)\}", AZURE["mongo_uri"].split(":")[2].partition("@")[0], address)
    address = re.sub(r"(?<=:)[^:@]*\.primaryMasterKey\)\}", "", address)
    assert address == AZURE["mongo_uri"]
    assert list(cosmos_mistakes(address)) == []


@pytest.fixture(scope="module")
def job(project_root: Path) -> dict[str, Any]:
    """The bundled project's query as `query export` writes it, as the parser of Bicep has it."""
    query = read_query_project(project_root / "projects" / "payments" / "stream-analytics")
    module: dict[str, Any] = BicepParser().parse(text=exported(query, plan_of(query)).files[MODULE_FILE])
    return module


def test_the_stream_analytics_job_reads_and_writes_hubs_of_the_table(job: dict[str, Any]) -> None:
    content = job["resources"]["job"]["config"]["properties"]
    hubs = {
        part["name"]: part["properties"]["datasource"]["properties"] for part in content["inputs"] + content["outputs"]
    }
    assert hubs.keys() == {"transactions", "scored", "alerts", "rejected"} <= {topic.name for topic in TOPICS}
    assert {name: hub["eventHubName"] for name, hub in hubs.items()} == {name: name for name in hubs}
    assert {name: hub.get("partitionKey") for name, hub in hubs.items()} == {
        **{"transactions": None, "rejected": "key"},
        **dict.fromkeys(("scored", "alerts"), PARTITION_KEY),
    }
    assert {function["name"] for function in content["functions"]} == {"score", "source"}


def test_the_stream_analytics_job_signs_in_as_itself_and_gets_its_key_as_a_secret(job: dict[str, Any]) -> None:
    assert set(job["resources"]) >= {"sender", "receiver"}
    decorators = {name: parameter["decorators"] for name, parameter in job["parameters"].items()}
    secure = {name for name, given in decorators.items() if "secure" in {decorator["type"] for decorator in given}}
    assert secure == {"scoreKey"}
    needed = {name for name, parameter in job["parameters"].items() if parameter["default"] is None}
    assert needed == {"name", "eventHubsNamespace", "scoreEndpoint", "scoreKey"}


@pytest.mark.parity("what breaks the contract is rejected by its field", "azure")
def test_stream_analytics_checks_every_field_of_the_contract(project_root: Path) -> None:
    query = (project_root / "projects" / "payments" / "stream-analytics" / "fraud.asaql").read_text("utf-8")
    assert set(re.findall(r"THEN '(\w+)'", query)) == {rule.name for rule in FIELD_RULES}


AZ = """#!/usr/bin/env bash
printf '%s\\n' "az $*" >>"$LOG"
case "$*" in
    *"ml model list"*) echo 3 ;;
    *"deployment group show"*) sed -E 's/.*outputs[.]([a-zA-Z]+)[.].*/the-\\1/' <<<"$*" ;;
    *"get-credentials"*) echo the-key ;;
    *"--name fraudstream-job"*)
        for word in "$@"; do
            if [[ $word == @* ]]; then printf '%s\\n' "$(cat "${word#@}")" >>"$LOG"; fi
            if [[ $word == */job.bicep ]]; then cat "$word" >>"$LOG"; fi
        done ;;
esac
exit 0
"""


def test_a_deployment_takes_the_projects_own_query_and_its_hubs(project_root: Path, tmp_path: Path) -> None:
    """With a stand-in for `az` that only writes down what it is asked."""
    for folder in ("azure", "projects"):
        shutil.copytree(project_root / folder, tmp_path / "clone" / folder)
    parameters = tmp_path / "clone" / "azure" / "parameters" / "dev.json"
    parameters.write_text(parameters.read_text("utf-8").replace('"value": false', '"value": true'), "utf-8")
    own = tmp_path / "my-fraud"
    shutil.copytree(project_root / "projects" / "payments", own)
    queries = own / "stream-analytics"
    further = [f"window{number}" for number in range(7)]
    with (queries / "fraud.asaql").open("a", encoding="utf-8") as query:
        for name in further:
            query.write(f"SELECT System.Timestamp() AS at INTO {name} FROM decided d;\n")  # noqa: S608
    listed = json.loads((queries / "asaproj.json").read_text("utf-8"))
    for name in further:
        output = (queries / "Outputs" / "alerts.json").read_text("utf-8").replace("alerts", name)
        (queries / "Outputs" / f"{name}.json").write_text(output, "utf-8")
        listed["configurations"].append({"filePath": f"Outputs/{name}.json", "subType": "Output"})
    (queries / "asaproj.json").write_text(json.dumps(listed), "utf-8")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "az").write_text(AZ, "utf-8")
    (tmp_path / "bin" / "az").chmod(0o755)
    path = os.pathsep.join([str(tmp_path / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]])
    log = tmp_path / "log"
    done = subprocess.run(
        ["bash", str(tmp_path / "clone" / "azure" / "deploy.sh"), "group"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PATH": path, "LOG": str(log), "FRAUDSTREAM_PROJECT": str(own)},
    )
    assert done.returncode == 0, done.stderr
    asked = log.read_text("utf-8")
    assert f"project=my-fraud furtherHubs={json.dumps(further)}" in asked
    assert "eventHubsNamespace=the-namespaceName" in asked
    assert "name=the-name-analytics" in asked
    # The endpoint and its key go by file.
    assert '"scoreKey": {"value": "the-key"}' in asked
    assert all("the-key" not in line for line in asked.splitlines() if line.startswith("az "))
    assert asked.count("serviceBusNamespace: eventHubsNamespace") == 11
    assert sorted(folder.name for folder in (tmp_path / "clone" / "projects").iterdir()) == sorted(
        folder.name for folder in (project_root / "projects").iterdir()
    )
    assert "Start the job: az stream-analytics job start" in done.stdout


def test_azure_ml_files_name_each_other_and_no_alias(azure: Path) -> None:
    endpoint = yaml.safe_load((azure / "azureml" / "endpoint.yml").read_text("utf-8"))
    deployment = yaml.safe_load((azure / "azureml" / "deployment.yml").read_text("utf-8"))
    assert deployment["endpoint_name"] == endpoint["name"]
    assert re.fullmatch(rf"azureml:{Settings().model_name}:\d+", deployment["model"])
    assert f"endpoint={endpoint['name']}\n" in (azure / "deploy.sh").read_text("utf-8")


@pytest.mark.parametrize("script", ["deploy.sh", "teardown.sh", "publish-model.sh"])
def test_scripts_parse_and_say_how_they_are_called(azure: Path, script: str) -> None:
    assert subprocess.run(["bash", "-n", str(azure / script)], check=False).returncode == 0
    done = subprocess.run(
        ["bash", str(azure / script)], capture_output=True, text=True, check=False, env={"PATH": "/usr/bin:/bin"}
    )
    assert done.returncode != 0
    assert f"usage: azure/{script}" in done.stderr
