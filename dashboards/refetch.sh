#!/usr/bin/env bash
# Fetch the third-party files of the pages from the npm registry and check them: dashboards/refetch.sh [--check]
# --check compares them with the files in the repository and changes nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/fraudstream/dashboards/assets"

package=plotly.js-basic-dist-min
version=4.1.1
sha256=99784e3abfb07b142a15e521a439e6d9addceadb3f79553fd24c72774f0649ba

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm pack --silent --pack-destination "$folder" "$package@$version" >/dev/null
tar -xzf "$folder/$package-$version.tgz" -C "$folder"
echo "$sha256  $folder/package/plotly-basic.min.js" | sha256sum --check --quiet
if [ "${1:-}" = --check ]; then
    cmp "$folder/package/plotly-basic.min.js" plotly-basic.min.js
else
    cp "$folder/package/plotly-basic.min.js" plotly-basic.min.js
fi
