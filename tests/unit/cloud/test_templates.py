"""The templates hold what the code needs: topics, collections, indexes, settings, secrets by reference, identities."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from pycep import BicepParser

from fraudstream.core.configuration.required import missing
from fraudstream.core.configuration.settings import ENV_PREFIX, Settings, load_settings
from fraudstream.core.contract.event import FIELD_RULES
from fraudstream.core.contract.topics import DAY_MS, TOPICS
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
    return {one["type"] for module in bicep.values() for one in module.get("resources", {}).values()}


@pytest.mark.parity("topics from one table", "azure")
def test_every_topic_is_a_hub_with_its_partitions_and_retention(azure: Path, texts: dict[str, str]) -> None:
    hubs = {one["name"]: one for one in json.loads((azure / "definitions.json").read_text("utf-8"))["hubs"]}
    partitions = load_settings(profile="azure").topic_partitions
    assert hubs.keys() == {topic.name for topic in TOPICS}
    for topic in TOPICS:
        assert hubs[topic.name]["partitions"] == partitions
        assert hubs[topic.name]["retentionHours"] == topic.retention_ms * 24 / DAY_MS
    assert "hubs: definitions.hubs" in texts["main"]
    assert "for one in hubs" in texts["eventhubs"]
    assert "partitionCount: one.partitions" in texts["eventhubs"]
    assert "retentionTimeInHours: one.retentionHours" in texts["eventhubs"]


@pytest.mark.parity("collections and indexes from one table", "azure")
def test_every_collection_has_its_shard_key_indexes_and_ttl(azure: Path, texts: dict[str, str]) -> None:
    made = {one["name"]: one for one in json.loads((azure / "definitions.json").read_text("utf-8"))["collections"]}
    assert made.keys() == {one.name for one in COLLECTIONS}
    for collection in COLLECTIONS:
        found = made[collection.name]
        assert found["shardKey"] == {collection.shard_key: "Hash"}
        keys = [index["key"]["keys"] for index in found["indexes"]]
        expected = [["_id"], *([name for name, _ in index] for index in collection.indexes)]
        assert keys == expected + [["_ts"]] * (collection.ttl_days is not None)
        if collection.ttl_days is not None:
            assert found["indexes"][-1]["options"] == {"expireAfterSeconds": collection.ttl_days * 86_400}
    assert any(one.ttl_days for one in COLLECTIONS)
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
        "Microsoft.StreamAnalytics/streamingjobs",
    }


def test_every_module_is_used_and_gets_what_it_asks_for(
    bicep: dict[str, dict[str, Any]], texts: dict[str, str]
) -> None:
    modules = bicep["main"]["modules"]
    files = {name: Path(one["detail"]["path"]).stem for name, one in modules.items()}
    assert set(files.values()) == bicep.keys() - {"main"}
    for name, one in modules.items():
        asked = bicep[files[name]]["parameters"]
        # A module with a condition has its content one level deeper.
        given = set((one["config"].get("config") or one["config"])["params"])
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
    by_script = {"scoringKey", "scoringUrl", "dashboardPassword", "services", "project", "partitionField", "query"}
    script = (azure / "deploy.sh").read_text("utf-8")
    assert all(parameter in script for parameter in by_script)
    assert set(given) <= set(asked) - by_script
    assert {key for key, one in asked.items() if one["default"] is None} <= set(given) | by_script
    assert given["eventHubsSku"]["value"] != "Basic"


def test_no_secret_stands_in_a_template_and_secret_parameters_are_secure(
    azure: Path, bicep: dict[str, dict[str, Any]]
) -> None:
    for name, module in bicep.items():
        for parameter, content in module["parameters"].items():
            if re.search(r"(?i)key$|password", parameter):
                assert {"type": "secure"} in [{"type": one["type"]} for one in content["decorators"]], (name, parameter)
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
    lacking = {one.name.upper() for one in missing(load_settings(profile="azure"), needs[role])}
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
        variables = {one[1]: one[2] for one in map(_variable, _statements(text)) if one}
        late = {one for one, content in variables.items() if re.search(r"listKeys|\.properties\.|\.outputs\.", content)}
        grown = set[str]()
        while late and late != grown:
            grown = late
            known = re.compile(rf"\b({'|'.join(grown)})\b")
            late = grown | {one for one, content in variables.items() if known.search(content)}
        looped = set(re.findall(r"\[\s*for \(?\w+(?:, \w+\))? in (\w+)", text))
        assert looped & late == set(), name


def _statements(text: str) -> list[str]:
    """The template's statements, without comments, and with what stands inside ${} as all that is left of a text."""

    def kept(found: re.Match[str]) -> str:
        return " ".join(re.findall(r"\$\{(.*?)\}", found[0])) if found[0].startswith("'") else ""

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
    made = template[1].replace("${accountName}", "account")
    made = re.sub(r"\$\{uriComponent\(.*?\)\}", AZURE["mongo_uri"].split(":")[2].partition("@")[0], made)
    made = re.sub(r"(?<=:)[^:@]*\.primaryMasterKey\)\}", "", made)
    assert made == AZURE["mongo_uri"]
    assert list(cosmos_mistakes(made)) == []


def test_stream_analytics_reads_and_writes_hubs_of_the_table(azure: Path, texts: dict[str, str]) -> None:
    query = (azure / "stream-analytics" / "fraud.asaql").read_text("utf-8")
    topics = {topic.name for topic in TOPICS}
    outputs = set(re.findall(r"^INTO (\w+)", query, re.MULTILINE))
    assert outputs == {"scored", "rejected"} <= topics
    assert f"var outputs = {sorted(outputs, reverse=True)}" in texts["analytics"]
    assert "FROM transactions t TIMESTAMP BY" in query
    assert set(re.findall(r"udf\.(\w+)\(", query)) == set(
        re.findall(r"^        name: '(\w+)'$", texts["analytics"], re.M)
    ) - {"transactions"}


@pytest.mark.parity("what breaks the contract is rejected by its field", "azure")
def test_stream_analytics_checks_every_field_of_the_contract(azure: Path) -> None:
    query = (azure / "stream-analytics" / "fraud.asaql").read_text("utf-8")
    checked = set(re.findall(r"THEN '(\w+)'", query))
    assert checked == {rule.name for rule in FIELD_RULES if rule.required}


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
