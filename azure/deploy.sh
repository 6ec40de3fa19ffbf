#!/usr/bin/env bash
# Deploys everything into a resource group: azure/deploy.sh GROUP [dev|prod] [LOCATION]
# FRAUDSTREAM_PROJECT chooses the project: a name in projects/, or a folder, which becomes a part of the images.
# Needs: fraudstream (or uv, in this clone), python3 (3.11 or later) and az (signed in), with the extensions ml and
# containerapp. Doing it again changes only what differs.
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

# parameter NAME: its value in the parameter file.
parameter() {
    python3 -c 'import json, sys
print(json.dumps(json.load(open(sys.argv[1]))["parameters"][sys.argv[2]]["value"]).strip("\""))' \
        "parameters/$parameters.json" "$1"
}

fraudstream() {
    if type -P fraudstream >/dev/null; then command fraudstream "$@"; else uv run --project .. fraudstream "$@"; fi
}

# Secrets are handed over in a file of their own: arguments can be read by everybody on the machine.
secrets=$(mktemp)
job=$(mktemp -d)
trap 'rm -f "$secrets"; rm -rf -- "${job:?}"; [[ -z $own ]] || rm -rf -- "${brought:?}/$project"' EXIT
chmod 600 "$secrets"

# Images are built with the projects of the clone.
[[ -z $own ]] || cp -R -- "$own" "$brought/$project"

# The project's query, as a module of its own, and the hubs that it writes to beside those of the table.
stream_analytics=$(parameter streamAnalytics)
exported='{"hubs": []}'
if [[ -d $brought/$project/stream-analytics ]]; then
    exported=$(fraudstream query export "$brought/$project/stream-analytics" --output-dir "$job" --json)
elif [[ $stream_analytics == true ]]; then
    echo "$project has no stream-analytics folder for the Stream Analytics job: fraudstream init writes one." >&2
    exit 2
fi
hubs=$(python3 -c 'import json, sys
known = {hub["name"].lower() for hub in json.load(open("definitions.json"))["hubs"]}
print(json.dumps([hub for hub in json.loads(sys.argv[1])["hubs"] if hub.lower() not in known]))' "$exported")

az group create --name "$group" --location "$location" --output none

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
        --parameters "project=$project" "furtherHubs=$hubs" --output none
}

output() {
    az deployment group show --name fraudstream --resource-group "$group" \
        --query "properties.outputs.$1.value" --output tsv
}

# The query as a Stream Analytics job. Its models are the online endpoint; az asks for what else its outputs need.
deploy_job() {
    SCORING_KEY=$scoring_key SCORING_URL=$scoring_url python3 - "$exported" >"$secrets" <<'PYTHON'
import json, os, sys

job = json.loads(sys.argv[1])
parameters = {name: {"value": os.environ["SCORING_URL"] + "/score"} for name in job["endpoints"]}
parameters |= {name: {"value": os.environ["SCORING_KEY"]} for name in job["keys"]}
schema = "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#"
json.dump({"$schema": schema, "contentVersion": "1.0.0.0", "parameters": parameters}, sys.stdout)
PYTHON
    az deployment group create --name fraudstream-job --resource-group "$group" --template-file "$job/job.bicep" \
        --parameters "@$secrets" --parameters "name=$1-analytics" "eventHubsNamespace=$(output namespaceName)" \
        --output none
    echo "Start the job: az stream-analytics job start --resource-group $group --job-name $1-analytics"
}

dashboard_password=$(kept_or_new dashboard-password)
write_secrets "$(kept_or_new scoring-key)" ""

# Resources first, then the images into the registry that is one of them.
deploy false
registry=$(output registryName)
workspace=$(output workspace)
tag=$(parameter imageTag)
for image in "${images[@]}"; do
    az acr build --registry "$registry" --image "fraudstream/$image:$tag" --target "$image" --file ../Dockerfile .. \
        --output none
done

# The online endpoint scores once the workspace holds a model (azure/publish-model.sh); until then our container does.
# No aliases: the champion is the version that is tagged role=champion.
version=$(az ml model list --name fraud --resource-group "$group" --workspace-name "$workspace" \
    --query "max_by([?tags.role=='champion'], &to_number(version)).version" --output tsv 2>/dev/null || true)
scoring_url=""
if [[ -n $version ]]; then
    az ml online-endpoint create --file azureml/endpoint.yml --resource-group "$group" \
        --workspace-name "$workspace" --output none 2>/dev/null ||
        az ml online-endpoint update --file azureml/endpoint.yml --resource-group "$group" \
            --workspace-name "$workspace" --output none
    az ml online-deployment create --file azureml/deployment.yml --set "model=azureml:fraud:$version" --all-traffic \
        --resource-group "$group" --workspace-name "$workspace" --output none
    scoring_key=$(az ml online-endpoint get-credentials --name "$endpoint" --resource-group "$group" \
        --workspace-name "$workspace" --query primaryKey --output tsv)
    scoring_url="https://$endpoint.$location.inference.ml.azure.com"
    write_secrets "$scoring_key" "$scoring_url"
fi

deploy true
if [[ $stream_analytics == true && -n $scoring_url ]]; then
    deploy_job "$(output name)"
elif [[ $stream_analytics == true ]]; then
    echo "No Stream Analytics job yet: it needs the online endpoint. Publish a model (azure/publish-model.sh), and deploy again."
fi
echo "Deployed. The dashboards are at $(output dashboardsUrl); their password is the vault's dashboard-password."
echo "Train once labels are stored: az containerapp job start --resource-group $group --name $(output trainingJob)"
