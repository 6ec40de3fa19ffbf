#!/usr/bin/env bash
# Deploys everything into a resource group: azure/deploy.sh GROUP [dev|prod] [LOCATION]
# Needs: az (signed in), with the extensions ml and containerapp. Doing it again changes only what differs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

group=${1:?usage: azure/deploy.sh GROUP [dev|prod] [LOCATION]}
parameters=${2:-dev}
location=${3:-westeurope}
endpoint=fraudstream-scoring

az group create --name "$group" --location "$location" --output none

# The endpoint's address and key go into the templates; before the first deployment there is no endpoint yet.
scoring_url="https://$endpoint.$location.inference.ml.azure.com"
workspace=$(az resource list --resource-group "$group" --resource-type Microsoft.MachineLearningServices/workspaces \
    --query '[0].name' --output tsv)
scoring_key=not-deployed-yet
if [[ -n $workspace ]] && az ml online-endpoint show --name "$endpoint" --resource-group "$group" \
    --workspace-name "$workspace" --output none 2>/dev/null; then
    scoring_key=$(az ml online-endpoint get-credentials --name "$endpoint" --resource-group "$group" \
        --workspace-name "$workspace" --query primaryKey --output tsv)
fi

# The key is handed over in a file of its own: arguments can be read by everybody on the machine.
secrets=$(mktemp)
trap 'rm -f "$secrets"' EXIT
chmod 600 "$secrets"
cat >"$secrets" <<EOF
{
  "\$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#",
  "contentVersion": "1.0.0.0",
  "parameters": { "scoringKey": { "value": "$scoring_key" }, "scoringUrl": { "value": "$scoring_url" } }
}
EOF

az deployment group create --name fraudstream --resource-group "$group" --template-file main.bicep \
    --parameters "@parameters/$parameters.json" --parameters "@$secrets" --output none
workspace=$(az deployment group show --name fraudstream --resource-group "$group" \
    --query properties.outputs.workspace.value --output tsv)

az ml online-endpoint create --file azureml/endpoint.yml --resource-group "$group" --workspace-name "$workspace" \
    --output none 2>/dev/null ||
    az ml online-endpoint update --file azureml/endpoint.yml --resource-group "$group" \
        --workspace-name "$workspace" --output none

# No aliases: the champion is the version that is tagged role=champion.
version=$(az ml model list --name fraud --resource-group "$group" --workspace-name "$workspace" \
    --query "max_by([?tags.role=='champion'], &to_number(version)).version" --output tsv)
if [[ -z $version ]]; then
    echo "No model is registered yet: train one (fraudstream train), then run this again to deploy it." >&2
    exit 0
fi
az ml online-deployment create --file azureml/deployment.yml --set "model=azureml:fraud:$version" --all-traffic \
    --resource-group "$group" --workspace-name "$workspace" --output none
if [[ $scoring_key == not-deployed-yet ]]; then
    exec "$0" "$group" "$parameters" "$location"
fi
echo "Deployed. The dashboards:"
az deployment group show --name fraudstream --resource-group "$group" \
    --query properties.outputs.dashboardsUrl.value --output tsv
