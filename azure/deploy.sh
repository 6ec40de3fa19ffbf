#!/usr/bin/env bash
# Deploys everything into a resource group: azure/deploy.sh GROUP [dev|prod] [LOCATION]
# FRAUDSTREAM_PROJECT chooses the project: a name in projects/, or a folder, which becomes a part of the images.
# Needs: python3 (3.11 or later) and az (signed in), with the extensions ml and containerapp. Doing it again changes only
# what differs.
set -euo pipefail
brought=$(cd "$(dirname "${BASH_SOURCE[0]}")/../projects" && pwd)
project=${FRAUDSTREAM_PROJECT:-payments}
own=""
if [[ ! -f $brought/$project/fraudstream.toml ]]; then
    own=$(cd "$project" && pwd)
    project=$(basename "$own")
    [[ -f $own/fraudstream.toml ]] || { echo "$own holds no fraudstream.toml: it is no project." >&2; exit 2; }
    [[ ! -e $brought/$project ]] || { echo "There is a $brought/$project already: rename $own." >&2; exit 2; }
fi
cd "$(dirname "${BASH_SOURCE[0]}")"

group=${1:?usage: azure/deploy.sh GROUP [dev|prod] [LOCATION]}
parameters=${2:-dev}
location=${3:-westeurope}
endpoint=fraudstream-scoring
images=(stream store scoring mlflow dashboards bootstrap)

az group create --name "$group" --location "$location" --output none

# Secrets are handed over in a file of their own: arguments can be read by everybody on the machine.
secrets=$(mktemp)
trap 'rm -f "$secrets"; [[ -z $own ]] || rm -rf -- "${brought:?}/$project"' EXIT
chmod 600 "$secrets"

# Images are built with the projects of the clone.
[[ -z $own ]] || cp -R -- "$own" "$brought/$project"
partition_key=$(python3 -c 'import sys, tomllib
event = tomllib.load(open(sys.argv[1], "rb"))["event"]
print(event.get("partition_key", event["id"]))' "$brought/$project/fraudstream.toml")
query=$brought/$project/stream-analytics/fraud.asaql
[[ -f $query ]] || query=stream-analytics/fraud.asaql

# A secret that the vault has is kept; one that is not there, or that this account may not read, is made anew.
kept_or_new() {
    local vault
    vault=$(az keyvault list --resource-group "$group" --query '[0].name' --output tsv)
    { [[ -n $vault ]] && az keyvault secret show --vault-name "$vault" --name "$1" --query value --output tsv 2>/dev/null; } ||
        openssl rand -base64 32
}

# write_secrets SCORING_KEY SCORING_URL
write_secrets() {
    cat >"$secrets" <<JSON
{
  "\$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {
    "scoringKey": { "value": "$1" },
    "scoringUrl": { "value": "$2" },
    "dashboardPassword": { "value": "$dashboard_password" }
  }
}
JSON
}

# deploy SERVICES
deploy() {
    az deployment group create --name fraudstream --resource-group "$group" --template-file main.bicep \
        --parameters "@parameters/$parameters.json" --parameters "@$secrets" --parameters "services=$1" \
        --parameters "project=$project" "partitionField=$partition_key" "query=@$query" --output none
}

output() {
    az deployment group show --name fraudstream --resource-group "$group" \
        --query "properties.outputs.$1.value" --output tsv
}

dashboard_password=$(kept_or_new dashboard-password)
write_secrets "$(kept_or_new scoring-key)" ""

# Resources first, then the images into the registry that is one of them.
deploy false
registry=$(output registryName)
workspace=$(output workspace)
tag=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["parameters"]["imageTag"]["value"])' \
    "parameters/$parameters.json")
for image in "${images[@]}"; do
    az acr build --registry "$registry" --image "fraudstream/$image:$tag" --target "$image" --file ../Dockerfile .. \
        --output none
done

# The online endpoint scores once the workspace holds a model (azure/publish-model.sh); until then our container does.
# No aliases: the champion is the version that is tagged role=champion.
version=$(az ml model list --name fraud --resource-group "$group" --workspace-name "$workspace" \
    --query "max_by([?tags.role=='champion'], &to_number(version)).version" --output tsv 2>/dev/null || true)
if [[ -n $version ]]; then
    az ml online-endpoint create --file azureml/endpoint.yml --resource-group "$group" \
        --workspace-name "$workspace" --output none 2>/dev/null ||
        az ml online-endpoint update --file azureml/endpoint.yml --resource-group "$group" \
            --workspace-name "$workspace" --output none
    az ml online-deployment create --file azureml/deployment.yml --set "model=azureml:fraud:$version" --all-traffic \
        --resource-group "$group" --workspace-name "$workspace" --output none
    write_secrets "$(az ml online-endpoint get-credentials --name "$endpoint" --resource-group "$group" \
        --workspace-name "$workspace" --query primaryKey --output tsv)" \
        "https://$endpoint.$location.inference.ml.azure.com"
fi

deploy true
echo "Deployed. The dashboards are at $(output dashboardsUrl); their password is the vault's dashboard-password."
echo "Train once labels are stored: az containerapp job start --resource-group $group --name $(output trainingJob)"
