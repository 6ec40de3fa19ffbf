"""The rules of Azure ML's online endpoint and registry, and of the project itself."""

from __future__ import annotations

import re
from functools import partial

from fraudstream.cloud.rules.rule import Rule, numbering

# Names of endpoints and deployments (how-to-manage-quotas).
NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{2,31}")
# The longest request_timeout_ms of a deployment (reference-yaml-deployment-managed-online).
MOST_REQUEST_TIMEOUT_MS = 180_000

_DOCS = "https://learn.microsoft.com/azure/machine-learning/"
_TROUBLE = f"{_DOCS}how-to-troubleshoot-online-endpoints"
_MODELS = f"{_DOCS}how-to-manage-models-mlflow (08/2024)"
_ISSUE = "https://github.com/Azure/azure-sdk-for-python/issues/44896"


def most_in_flight(requests_per_instance: int, instances: int) -> int:
    """Requests that a deployment lets run or wait; it answers one more with 429."""
    return 2 * requests_per_instance * instances


def searchable(filter_text: str) -> bool:
    """Whether the registry takes a filter of model versions: it has neither LIKE nor tags (RG004)."""
    return " like " not in filter_text.lower() and "tag" not in filter_text.lower()


_ml = numbering("ML", "azure ml")
_registry = numbering("RG", "registry")
_project = partial(numbering("PR", "project"), source="docs/how-to/azure.md")


RULES: tuple[Rule, ...] = (
    _ml(
        1,
        "the body is {input_data: {columns, index, data}}: without `index` it becomes named tensors",
        "send input_data with columns, index and data",
        f"{_DOCS}how-to-deploy-mlflow-models-online-endpoints",
        "424 model error",
    ),
    _ml(2, "requests carry the endpoint's key as bearer", "FRAUDSTREAM_SCORING_KEY", _TROUBLE, "401"),
    _ml(
        3,
        "no more requests in flight than 2 × max_concurrent_requests_per_instance × instance_count",
        "raise instance_count or max_concurrent_requests_per_instance in the deployment's YAML",
        _TROUBLE,
        "429",
    ),
    _ml(
        4,
        "the client waits at least as long as the deployment's request_timeout_ms (at most 180000)",
        "FRAUDSTREAM_SCORING_TIMEOUT_SECONDS, or request_timeout_ms in the deployment's YAML",
        f"{_DOCS}reference-yaml-deployment-managed-online",
        "408",
    ),
    _ml(5, "the endpoint is asked over https", "FRAUDSTREAM_SCORING_URL=https://…", _TROUBLE, "closes"),
    _ml(
        6,
        "the answer is a bare list, not {predictions: …}",
        "read a list",
        f"{_DOCS}how-to-deploy-mlflow-models-online-endpoints",
    ),
    _ml(
        7,
        "endpoint and deployment names have 3 to 32 characters, the first one a letter",
        "rename it in azure/azureml/",
        f"{_DOCS}how-to-manage-quotas (01/27/2026)",
        "400 (control plane)",
    ),
    _registry(
        1,
        "no aliases: a version number and a tag name the champion",
        "use core.registry.champion_version",
        _MODELS,
        "404",
    ),
    _registry(
        2, "no logged models: save_model, log_artifacts, create_model_version", "as ml.tracking does", _ISSUE, "404"
    ),
    _registry(3, "registered models are not renamed", "register a new name", _MODELS, "400"),
    _registry(4, "versions are not searched with LIKE or by tags", "filter after the search", _MODELS, "400"),
    _registry(
        5,
        "an azureml:// address needs azureml-mlflow, which pins mlflow-skinny to 3.15 at most",
        "run MLflow's server (azure/modules/apps.bicep) and set its https address",
        "https://pypi.org/project/azureml-mlflow/ (1.62.0.post6)",
    ),
    _project(1, "no secret is empty, a placeholder or well known", "azure/.env.example explains every variable"),
    _project(2, "only the settings module knows the profiles", "choose by a setting's value"),
    _project(
        3, "every topic, collection, index and shard key of the code stands in the templates", "azure/parameters/"
    ),
    _project(4, "the recorded commands are those that the code sends", "pytest --record-mongo-commands"),
    _project(
        5,
        "no value has white space or quotes around it, an invisible character, or a form that no client reads",
        "correct it where it is stored: the environment, .env, the key vault's secret",
    ),
    _project(6, "every FRAUDSTREAM_ variable and every line of .env is read by something", "correct the name"),
    _project(
        7,
        "a dimension has values that are known beforehand: each value is a document of rollups",
        "list the values in `categories` of fraudstream.toml, or leave the field out of `dimensions`",
    ),
    _project(
        8,
        "an update of all rollups fits into the request units between two updates",
        "fewer dimensions or values, more request units (mostRequestUnits), or a longer "
        "FRAUDSTREAM_ROLLUP_INTERVAL_SECONDS",
    ),
)
