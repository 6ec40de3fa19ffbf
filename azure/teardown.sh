#!/usr/bin/env bash
# Deletes the resource group and everything in it: azure/teardown.sh GROUP --yes
set -euo pipefail

group=${1:?usage: azure/teardown.sh GROUP --yes}
if [[ ${2:-} != --yes ]]; then
    echo "This deletes the resource group $group with all events, documents and models. Add --yes." >&2
    exit 2
fi
az group delete --name "$group" --yes
# The vault's purge protection keeps its name for 90 days; nobody can shorten that, which is its purpose.
echo "Deleted $group. Its key vault can be recovered for 90 days."
