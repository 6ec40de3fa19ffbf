#!/usr/bin/env bash
# Registers a version of MLflow's registry in the Azure ML workspace, where the online endpoint deploys from:
#   FRAUDSTREAM_MLFLOW_TRACKING_URI=http://127.0.0.1:5000 azure/publish-model.sh GROUP WORKSPACE VERSION
# Needs: az with the extension ml, and the project's environment (uv) for mlflow.
set -euo pipefail

group=${1:?usage: azure/publish-model.sh GROUP WORKSPACE VERSION}
workspace=${2:?usage: azure/publish-model.sh GROUP WORKSPACE VERSION}
version=${3:?usage: azure/publish-model.sh GROUP WORKSPACE VERSION}
export MLFLOW_TRACKING_URI=${FRAUDSTREAM_MLFLOW_TRACKING_URI:?set it to the registry that holds the version}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
uv run mlflow artifacts download --artifact-uri "models:/fraud/$version" --dst-path "$folder"
az ml model create --name fraud --version "$version" --type mlflow_model --path "$folder" \
    --set tags.role=champion --resource-group "$group" --workspace-name "$workspace" --output none
echo "Registered fraud:$version in $workspace. azure/deploy.sh $group deploys it to the online endpoint."
