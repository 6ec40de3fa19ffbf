#!/usr/bin/env bash
# Makes sure that Docker's engine answers, on Debian and its relatives, as root: installs what is missing and starts
# `dockerd` where none runs. Prints the process id of the one that it started, for the caller to end.
set -euo pipefail

fail() {
    printf 'docker/engine.sh: %s\n' "$1" >&2
    exit 1
}

missing=()
for program in dockerd:docker.io docker:docker.io iptables:iptables debootstrap:debootstrap; do
    command -v "${program%%:*}" >/dev/null || missing+=("${program##*:}")
done
if [ "${#missing[@]}" -gt 0 ]; then
    export DEBIAN_FRONTEND=noninteractive
    {
        apt-get update -qq
        apt-get install -y -qq --no-install-recommends "${missing[@]}"
    } >&2 || fail "${missing[*]} could not be installed"
fi

docker info >/dev/null 2>&1 && exit 0

log=${DOCKERD_LOG:-/tmp/dockerd.log}
setsid dockerd >"$log" 2>&1 </dev/null &
pid=$!
for _ in $(seq 60); do
    if docker info >/dev/null 2>&1; then
        echo "$pid"
        exit 0
    fi
    kill -0 "$pid" 2>/dev/null || fail "dockerd ended: $(grep -E 'level=(error|fatal)|failed' "$log" | tail -3)"
    sleep 1
done
kill "$pid"
fail "dockerd did not answer within 60 s: $(tail -3 "$log")"
